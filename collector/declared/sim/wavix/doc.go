// Package sim is a simulated Wavix account of the API of June 2026: call detail records as pages and as
// a stream, calls in progress, and known totals. The kit (provider test) has the other list and the older API.
//
// An account has two worlds of calls, placed and received. A received call that is forwarded also has a
// placed row, its leg. Settings decide what Wavix's documents leave open: the time zone of days, the
// largest page. Rows of a day have a random order, which Wavix doesn't document either. Totals follow
// from how the calls were made; the package doesn't import the exporter's mapping.
//
//	server, err := sim.Start(sim.Settings{Placed: placed, Received: received})
//	defer server.Close()
//	server.BaseURL(), server.APIKey, server.WriteCA(path)
//	server.Advance(time.Hour)        // late rows become visible
//	want := server.Totals(simulator.Once(server.Pause()))
//
// The amounts of the mixes' tariffs are hundred-thousandths of a dollar, since Wavix's prices have
// up to five decimals.
package sim
