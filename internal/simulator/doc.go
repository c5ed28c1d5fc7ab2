// Package simulator is what the simulated providers share: a deterministic world of calls with
// known totals, faults, and HTTPS with its own authority. The demo, the tests and the benchmarks
// run on it.
//
// A World is one feed's calls. Everything about a call follows from the world's seed and the call's
// place in it. So memory holds only what lists need, and the same seed gives the same bytes. A world
// gives the rows that are visible at an instant for a range of time (Page), the rows of calls in
// progress (EachActive), and what a reader at certain instants must have counted (Totals). The totals
// come from how the calls were made, never from the exporter's mapping: they are a second opinion.
//
//	settings := simulator.Historical(7, mix, from, to, 100_000)
//	world := simulator.NewWorld(settings)
//	more := world.Page(simulator.Query{From: a, To: b, At: now, Limit: 1000},
//		func(c *simulator.Call, v *simulator.Version) { render(c, v) })
//	want := world.Totals(simulator.Once(now))
//	// want.Records, want.Metrics["cdr_calls_total"]["inbound|user_in|answered|Microsoft"] and so on
//
// A world doesn't fail at run time; wrong settings panic in NewWorld. All types are safe for
// concurrent use unless they say otherwise.
package simulator
