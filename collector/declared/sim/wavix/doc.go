// Package sim is a simulated Wavix account: call detail records in three formats, calls in
// progress, and known totals, in each generation of the API.
//
// An account has two worlds of calls, placed and received, and some calls of one also have a row of
// the other type. A received call that is forwarded makes a placed leg; a call between two of the
// account's numbers is listed under both types with one id. Settings decide what Wavix's documents
// leave open: the order of rows, the time zone of days, the largest page. Totals follow from how
// the calls were made; the package doesn't import the exporter's mapping.
//
//	server, err := sim.Start(sim.Settings{Placed: placed, Received: received, Generation: sim.GenerationB})
//	defer server.Close()
//	server.BaseURL(), server.APIKey, server.WriteCA(path)
//	server.Advance(time.Hour)        // late rows become visible
//	server.Upgrade(sim.GenerationC)  // /v1/cdrs instead of /v1/cdr, and call_id
//	want := server.Totals(simulator.Once(server.Pause()))
//
// The amounts of the mixes' tariffs are hundred-thousandths of a dollar, since Wavix's prices have
// up to five decimals.
package sim
