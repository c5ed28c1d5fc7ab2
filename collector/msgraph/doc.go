// Package msgraph reads calls of Microsoft Teams from Microsoft Graph, v1.0. It has three feeds:
// pstn reads the rows of getPstnCalls (Calling Plans, Operator Connect, audio conferencing),
// direct_routing those of getDirectRoutingCalls. call_records reads call records: calls and
// meetings with their sessions and the quality of their streams.
//
//	msgraph ─▶ callrecords ─▶ subscriptions ─▶ graph
//
// This package has the configuration, the credentials and the two call logs. Package callrecords
// has the third feed, subscriptions its notifications, and graph the parts of Graph that all of
// them need. A row takes this path:
//
//	Graph ─▶ graph.Pages (envelope, rows) ─▶ mapper (fields of a row ─▶ cdr.Record) ─▶ collector.Page
//
// Invariants:
//
//   - The exporter follows a next link unchanged, and only on the configured host. A token never
//     goes to another host. Requests to the identity platform go to its one token endpoint only.
//   - A row is set aside with its position if a field has another JSON type than in the schema; the
//     rest of the page is still read. New strings and properties are accepted.
//   - An unknown call type has no direction; nothing is guessed.
//   - No error or log text contains a part of an answer, a secret or a number.
//
// Both functions filter by the call's start. getPstnCalls includes both ends of the range,
// getDirectRoutingCalls excludes its end. The next range overlaps by a second, so it finds a call
// that starts in the last second of a range.
//
// Errors: httpclient retries a page that is cut or isn't valid JSON, then the range fails. The
// range also fails if a next link has expired, repeats or leaves the host. Links are never stored,
// so the next read starts at the range's beginning and recognizes the rows that were already read
// by their ids. Advise explains an error.
package msgraph
