// Package wavix reads the call detail records of a Wavix account (feed call_log) and counts its
// calls in progress (feed active_calls). It supports every generation of the API, from /v1/cdr with
// the key in the query to /v1/cdrs with the key as bearer.
//
// The path of a row:
//
//	callLog.Pages ─▶ rangeRead, one day and type after the other (day.go) ─▶ a page
//	                   ▲
//	httpclient.Fetch ─▶ decoder (JSON, lines, CSV) ─▶ row ─▶ mapper ─▶ cdr.Record
//
// Invariants:
//
//   - A request asks for all dispositions. A read covers one more day on either side of a range;
//     each row's own time decides where it belongs.
//   - No row has its type. Direction and call type come from the request, and so does a part of the
//     row's key: an id may be listed under both types.
//   - A row is set aside with its position if a field has another JSON type than the provider
//     documents; the rest is still read.
//   - A row without an id is yielded once for each call, even if pages shift while they are read,
//     so that the rows of one read can be numbered (counting.md 18).
//   - No error, log or metric contains the key, though it may travel in the URL, or any other part
//     of an answer, except for known messages.
//
// Errors: httpclient.Fetch repeats the request if the answer is cut, is HTML, or says that it
// failed, with any status; then the read fails. If a path doesn't exist, the reader tries the path
// of the other API version. Advise explains an error.
package wavix
