// Package msgraph reads the call logs of Microsoft Teams from Microsoft Graph: the
// rows of getPstnCalls (feed pstn: Calling Plans, Operator Connect, audio
// conferencing) and of getDirectRoutingCalls (feed direct_routing), both on v1.0. And it
// reads call records (feed call_records): calls and meetings with their sessions and the
// quality of their streams.
//
// The way of a row:
//
//	identity platform ─▶ tokens ─┐
//	                             ▼
//	Graph ─▶ httpclient.Pages ─▶ pageDecoder (envelope, rows) ─▶ pageMapper (fields of a row ─▶ cdr.Record) ─▶ collector.Page
//	              ▲                │ next link
//	              └────────────────┘
//
// The way of a call record, which a list and notifications only name:
//
//	list (ids, versions) ─────────┐
//	                              ├─▶ collector.Task, in the ledger ─▶ record, all inner pages ─▶ cdr.Record
//	Graph ─▶ notifications (ids) ─┘                                       └─▶ work: to settle, later
//	  ▲
//	  └ subscription: found, made, renewed, checked
//
// Invariants:
//
//   - A next link is followed as it was given and never built, and only on the host
//     that was configured. No token leaves for another host; the identity platform is
//     asked at its one token endpoint and nowhere else.
//   - A page is decoded whole before it is mapped and yielded; one of more than a
//     thousand rows is yielded as several.
//   - A row whose field has another JSON type than the schema says is set aside with
//     its position; the rest of the page goes on. Strings and properties that are new
//     are no fault.
//   - An unknown call type has no direction; nothing is guessed.
//   - A record's streams, ratings and media bypass come with the version that is settled:
//     so long after the end of its call that clients have reported.
//   - A notification is answered when what it names is durable, and asks nothing of Graph.
//     An id becomes part of a link only if it is a GUID. One record is asked for no more
//     often than Graph allows of one.
//   - No error or log text holds a piece of an answer, a secret or a number.
//
// The filter of both functions is the call's start. getPstnCalls includes both ends
// of the range, getDirectRoutingCalls excludes its end: a call that starts in the
// very second of a range's end is found by the next range, which the read plan lets
// overlap by a second. Fractions of a second are rounded outwards.
//
// When things fail: a page that is cut, or is no valid JSON, is asked for again at
// the same link by httpclient, then the range fails. A next link that has
// expired, repeats, or leaves the host fails the range; links are never kept, so the
// next read starts from the range's beginning. Rows that were handed on before are
// read again and known by their ids. Advise says what an error means.
package msgraph
