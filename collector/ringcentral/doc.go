// Package ringcentral reads the call log of RingCentral (RingEX). The feed call_log covers a whole
// account or one extension. The feed active_calls sets gauges and writes nothing.
//
// The path of a row:
//
//	oauth/token ─▶ credentials ─▶ httpclient.Tokens ─┐
//	                                                 ▼
//	call-log, by ranges ──────────▶ httpclient.Pages ─▶ pageDecoder (envelope, rows) ─▶ mapper ─▶ collector.Page
//	                                      ▲               │ navigation.nextPage
//	                                      └───────────────┘
//
// Invariants:
//
//   - The exporter follows the link to the next page unchanged, never builds one, and only on the
//     configured host. A token never goes to another host. Token requests go to the one token
//     endpoint only.
//   - A read has a beginning and an end that stay the same over all its pages. New rows then shift
//     others to the next page, which makes duplicates, never losses. Without both, RingCentral
//     would return 24 hours. A read continues while there is a next page, however short a page is.
//   - A page is decoded whole before it is mapped and yielded. A page of more than a thousand rows
//     is yielded in parts.
//   - A row is set aside with its position if a field has another type than RingCentral documents;
//     the rest of the page is still read. New strings and members are accepted. The mapping ignores
//     members that it doesn't need.
//   - The direction is RingCentral's own, even if a softphone inverts it. Only a call between two
//     extensions is internal. Nothing is guessed.
//   - No error or log text contains a part of an answer, a secret or a number: only codes, names of
//     permissions and our own words.
//
// A row of the log is a record. In the scope of an account, an internal call or a RingOut can be
// two rows and then counts twice. In the scope of an extension, rows of one session make one call
// (cdr.Record.CallKey). The legs of a row make its call (legs.go, internal/core/calls). A leg that is
// marked as the master describes the whole call, so it gives the outcome only if no other leg does.
// A row's money is the whole call's, so the legs' money isn't added.
//
// Rows are decoded into structs by reflection, not by hand as in msgraph: the limit of ten requests
// a minute allows at most ten thousand rows a minute.
//
// Errors: httpclient retries a page that is cut or isn't valid JSON at the same link, then the
// range fails. The range also fails if a link has expired, repeats, or leaves the host. Links are
// never stored, so the next read starts at the range's beginning. Advise explains an error.
package ringcentral
