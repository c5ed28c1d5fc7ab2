// Package msgraph reads calls of Microsoft Teams from Microsoft Graph, v1.0: the rows of getPstnCalls (feed pstn: Calling Plans, Operator
// Connect, audio conferencing) and of getDirectRoutingCalls (feed direct_routing), and call records (feed call_records): calls and meetings with
// their sessions and the quality of their streams.
//
//	msgraph ─▶ callrecords ─▶ subscriptions ─▶ graph
//
// This package has the configuration, the credentials and the two call logs; callrecords has the third feed, subscriptions the notifications
// that speed it up, and graph what all of them need of Graph. A row takes this path:
//
//	Graph ─▶ graph.Pages (envelope, rows) ─▶ mapper (fields of a row ─▶ cdr.Record) ─▶ collector.Page
//
// Invariants:
//
//   - A next link is followed as it was given, and only on the configured host. No token leaves for another host; the identity platform is
//     asked at its one token endpoint and nowhere else.
//   - A row whose field has another JSON type than the schema says is set aside with its position; the rest of the page goes on. New
//     strings and properties are accepted.
//   - An unknown call type has no direction; nothing is guessed.
//   - No error or log text holds a piece of an answer, a secret or a number.
//
// Both functions filter by the call's start. getPstnCalls includes both ends of the range, getDirectRoutingCalls excludes its end: a call
// that starts in the very second of a range's end is found by the next range, which overlaps by a second.
//
// When things fail: httpclient asks again for a page that is cut or isn't valid JSON, then the range fails. A next link that has expired,
// repeats or leaves the host fails the range; links are never stored, so the next read starts at the range's beginning, and rows that were
// yielded before are recognised by their ids. Advise says what an error means.
package msgraph
