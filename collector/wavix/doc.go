// Package wavix reads the call detail records of a Wavix account (feed call_log) and
// counts its calls in progress (feed active_calls), in every generation of the API:
// /v1/cdr with the key in the query, /v1/cdrs with the key as bearer, and what lies
// between.
//
// The way of a row:
//
//	callLog.Pages ─▶ rangeRead, one day and type after the other (day.go) ─▶ a page
//	                   ▲
//	httpclient.Fetch ─▶ decoder (JSON, lines, CSV) ─▶ row ─▶ mapper ─▶ cdr.Record
//
// Invariants:
//
//   - All dispositions are asked for. A day more is asked for on either side of a range;
//     each row's own time decides where it belongs.
//   - No row says its type, so direction and call type are the question's, and so is a
//     part of its key: an id may be listed under both types.
//   - A row whose field has another JSON type than the provider documents is set aside
//     with its position; the rest goes on.
//   - A row without an id is yielded once for each call, also when pages shift while they
//     are read, so that the rows of one read can be numbered (counting.md 18).
//   - The key is in no error, log or metric, though it may travel in the URL; nor is
//     anything else of an answer, but for messages that are known.
//
// When things fail: httpclient.Fetch repeats the request if the answer is cut, is HTML, or
// says that it failed, with any status; then the read fails. If a path isn't there, that of
// the other API version is tried. Advise says what an error means.
package wavix
