// Package sim is a Microsoft identity platform and Microsoft Graph over HTTPS, with a deterministic
// world of calls and known totals.
//
// It is strict about requests, to detect a wrong client, and its answers have the oddities of the
// real ones: late rows, copies, revisions, links with other parameter names, and faults.
// The package decides how a call counts when it makes the call. It never uses the exporter's mapping
// for that, and doesn't import it.
//
//	pstn := simulator.NewWorld(simulator.Historical(1, sim.PSTNMix(), from, to, 10_000))
//	faults := simulator.NewFaults(1)
//	faults.Rate(sim.EndpointPSTN, 0.1, simulator.Transient()...)
//	server, err := sim.Start(sim.Settings{PSTN: pstn, Faults: faults})
//	defer server.Close()
//	err = server.WriteCA(path)       // for tls_config.ca_file
//	server.BaseURL()                // login_url and graph_url
//	server.Advance(time.Hour)        // late rows become visible
//	at := server.Pause()             // nothing new is published
//	want := pstn.Totals(simulator.Once(at))
//	server.Requests()                // counts of the requests, by endpoint and status
//
// Call records are a separate world, which may also have records of Direct Routing's calls. A
// record is published in several versions. Subscribers are notified of each version, as reliably as
// Delivery says:
//
//	records := sim.HistoricalCallRecords(1, from, to, 1000) // or NewCallRecords
//	server, err := sim.Start(sim.Settings{CallRecords: records, Delivery: sim.Delivery{Lost: 0.1}})
//	server.Subscriptions(), server.Notified()
//	want := records.Totals(simulator.View{At: []time.Time{at}, Settle: 90 * time.Minute})
//
// The server's clock is the provider's: Date headers follow it. Tokens and assertions follow the
// machine's clock.
package sim
