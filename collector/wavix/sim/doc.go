// Package sim is Wavix's API over HTTPS: call detail records in three formats,
// calls in progress, and known totals, in each generation of the API.
//
// An account has two worlds of calls, placed and received, and some calls of one
// have a row of the other's type too: a received call that is forwarded makes a
// placed leg, a call between two of the account's numbers is listed under both
// types with one id. Everything follows from the worlds' seeds. Where Wavix's
// documents leave something open (the order of rows, the time zone of days, the
// greatest page, whether the export is limited to a page), it is a setting, and so
// a client has to get along with all of it. Totals are computed from how the calls
// were made and not by the exporter's mapping, which the package doesn't import.
//
//	placed, err := simulator.NewWorld(simulator.Historical(1, sim.PlacedMix(), from, to, 10_000))
//	received, err := simulator.NewWorld(simulator.Historical(2, sim.ReceivedMix(), from, to, 10_000))
//	account, err := sim.NewAccount(sim.AccountSettings{Placed: placed, Received: received})
//	server, err := sim.Start(sim.Settings{Account: account, Generation: sim.GenerationB})
//	defer server.Close()
//	err = server.WriteCA(path)       // for tls_config.ca_file
//	server.BaseURL(), server.APIKey()
//	server.Advance(time.Hour)        // late rows become visible
//	server.FailCarrier(time.Minute)  // most calls fail
//	server.Upgrade(sim.GenerationC)  // /v1/cdrs instead of /v1/cdr, and call_id
//	at := server.Pause()             // nothing new is published
//	want := account.Totals(at)       // not those of the worlds, which know half of it
//	server.DayTotals(day, sim.Placed, at)
//	server.Requests(), server.Asked()
//
// The amounts of the mixes' tariffs are hundred-thousandths of a dollar here, since
// Wavix's prices have up to five decimals: see Totals.Charges.
package sim
