// Package sim is a simulated RingCentral account: its call log, active calls, recordings and OAuth
// over HTTPS, from deterministic worlds of calls with known totals.
//
// It is strict about requests, to detect a client's mistakes, and its answers are as difficult as
// the real API's: rows that aren't final, copies, revisions, recordings that come later, pages that
// shift, a rate limit whose penalty restarts with every request, and faults. The totals
// follow from how the calls were made; the package doesn't import the exporter's mapping.
//
//	account := simulator.NewWorld(sim.Historical(1, sim.Mix(), from, to, 10_000))
//	server, err := sim.Start(sim.Settings{Account: account, Faults: faults})
//	defer server.Close()
//	server.BaseURL(), server.ClientSecret, server.JWT(), server.WriteCA(path)
//	server.Advance(time.Hour)            // late rows become visible
//	want := account.Totals(simulator.Once(server.Pause()))
//
// It doesn't simulate reading by changes (call-log-sync, call-log-extract-sync), several records in
// one request, filters and defaults of the call log, or the content of recordings.
//
// Date headers follow the server's clock; tokens and rate limits follow the machine's.
package sim
