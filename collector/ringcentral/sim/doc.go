// Package sim is a RingCentral account over HTTPS, with a deterministic world of calls
// and known totals.
//
// It is strict about requests, so that a wrong client is noticed, and as wilful about
// answers as the real one: rows that aren't final, copies, revisions, recordings that
// come later, pages that shift, a limit on requests whose penalty every request begins
// anew, faults on demand. Its totals come from its own world and not from the
// exporter's mapping, whose packages it doesn't import.
//
//	account, err := simulator.NewWorld(sim.Historical(1, sim.Mix(), from, to, 10_000))
//	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 1})
//	faults.Rate(sim.EndpointCallLog, 0.1, simulator.Transient()...)
//	server, err := sim.Start(sim.Settings{Account: account, Faults: faults})
//	defer server.Close()
//	err = server.WriteCA(path)           // for tls_config.ca_file
//	server.BaseURL()                     // base_url
//	server.ClientID(), server.ClientSecret(), server.JWT()
//	server.Advance(time.Hour)            // late rows become visible
//	server.FailCarrier(time.Minute)
//	at := server.Pause()                 // nothing new is published
//	want := account.Totals(at)           // or TotalsFor, TotalsOf
//	server.Active(at)                    // cdr_active_calls
//	server.Requests()                    // what was asked, and how it was answered
//	server.Throttled(sim.GroupHeavy)     // how often the limit was overrun
//	server.Strays()                      // query parameters that nobody documents
//
// Three things of RingCentral's aren't here: call-log-sync, which loses changes, asks
// for several records at once, and recordings' content.
//
// The server's clock is the provider's: Date headers follow it. Tokens, JWTs and the
// limits of requests follow another, the machine's unless Settings say otherwise.
package sim
