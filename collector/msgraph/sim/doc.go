// Package sim is a Microsoft identity platform and Microsoft Graph over HTTPS,
// with a deterministic world of calls and known totals.
//
// It is strict about requests, so that a wrong client is noticed, and as
// wilful about answers as the real one: late rows, copies, revisions, links
// with other parameter names, faults on demand. Its totals come from its own
// world and not from the exporter's mapping, whose packages it doesn't import.
//
//	pstn, err := simulator.NewWorld(simulator.Historical(1, sim.PSTNMix(), from, to, 10_000))
//	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
//	faults.Rate(sim.EndpointPSTN, 0.1, simulator.Transient()...)
//	server, err := sim.Start(sim.Settings{PSTN: pstn, Faults: faults})
//	defer server.Close()
//	err = server.WriteCA(path)       // for tls_config.ca_file
//	server.LoginURL()                // login_url; GraphURL for graph_url
//	server.TenantID(), server.ClientID(), server.ClientSecret()
//	server.Advance(time.Hour)        // late rows become visible
//	server.FailTrunk("sbc1.example.com", time.Minute)
//	at := server.Pause()             // nothing new is published
//	want := pstn.Totals(at)          // or TotalsFor, TotalsOf
//	server.Requests()                // what was asked, and how it was answered
//
// Call records are a world of their own, which may have records of Direct Routing's calls
// too. Each grows by versions, and whoever has subscribed is told of each, as well as
// Delivery allows:
//
//	records, err := sim.HistoricalCallRecords(1, from, to, 1000) // or LiveCallRecords, NewCallRecords
//	server, err := sim.Start(sim.Settings{CallRecords: records, Delivery: sim.Delivery{Lost: 0.1, Forged: 0.1}})
//	server.Subscriptions(), server.Notified()
//	server.LoseSubscription()        // of which nobody is told; RemoveSubscription tells
//	server.PauseNotifications()      // MissNotifications, RequireReauthorization, Storm
//	want := records.Totals(at, 90*time.Minute) // or TotalsOf
//
// The exporter runs apart, as a process, against these addresses; the server is
// driven in process. The server's clock is the provider's: Date headers follow
// it. Tokens and assertions follow the machine's clock.
package sim
