// Package ringcentral reads the call log of RingCentral (RingEX): the feed call_log, of
// a whole account or of one extension, and the feed active_calls, which sets gauges and
// writes nothing.
//
// The way of a row:
//
//	oauth/token ─▶ credentials ─▶ httpclient.Tokens ─┐
//	                                                 ▼
//	call-log, by ranges ──────────▶ httpclient.Pages ─▶ pageDecoder (envelope, rows) ─▶ mapper (row ─▶ cdr.Record) ─▶ collector.Page
//	                                      ▲               │ navigation.nextPage
//	                                      └───────────────┘
//
// Invariants:
//
//   - A next page's link is followed as it was given and never built, and only on the
//     host that was configured. No token leaves for another host; tokens are asked for
//     at the one token endpoint and nowhere else.
//   - A read has a beginning and an end that stay the same over all its pages: new rows
//     then shift others to the next page, which makes duplicates, never losses. Without
//     them RingCentral would give 24 hours. A read goes on while there is a next page,
//     however short a page is.
//   - A page is decoded whole before it is mapped and yielded; one of more than a
//     thousand rows is yielded as several.
//   - A row whose field has another JSON type than RingCentral documents is set aside
//     with its position; the rest of the page goes on. Strings and members that are new
//     are no fault. Members that the mapping doesn't read are not looked at.
//   - The direction is RingCentral's own, also where a softphone inverts it; only a call
//     between two extensions is internal. Nothing is guessed.
//   - No error or log text holds a piece of an answer, a secret or a number: only codes,
//     names of permissions and our own words.
//
// What is what: a row of the log is a record. In the scope of an account, an internal
// call or a RingOut can be two rows and then counts twice; in that of an extension, rows
// of one session are one call (cdr.Record.CallKey). The legs of a row make its call
// (legs.go, internal/calls); a leg that is marked as the master stands for the whole call,
// so it gives the outcome only if no other leg does. The money of a row is that of the
// whole call, so that of its legs isn't added.
//
// Rows are decoded into structs by reflection, and not by hand as in msgraph: the limit
// of ten requests a minute makes it at most ten thousand rows a minute.
//
// When things fail: a page that is cut, or is no valid JSON, is asked for again at the
// same link by httpclient, then the range fails. A link that has expired, repeats,
// or leaves the host fails the range; links are never kept, so that the next read starts
// from the range's beginning. Advise says what an error means.
package ringcentral
