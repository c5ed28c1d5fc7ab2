// Package httpclient is the one HTTP client that every provider asks through.
// It knows no provider: it is given a host, a way to authorise and a budget.
//
// Invariants:
//
//   - No request, and so no token, leaves for another scheme, host or port than
//     those of Settings.BaseURL. Redirects are errors, to any address.
//   - No error text holds a query string, a token, user information or anything
//     of a body but what Settings.Quote makes of it. Error.Body holds the first bytes
//     of a refused answer for the provider to parse; nothing here prints it.
//   - A body is read whole before anybody sees it, bounded in decompressed bytes, in the
//     time without a byte and in the time that reading it takes. One that ends too early
//     is an error.
//   - Being throttled stops every feed that shares the client until the provider's
//     time has passed, and never uses up a try.
//   - Our requests never overrun a provider's own limit (Settings.Limit), and those of other programs that its answers
//     count are respected. Limited requests go one at a time, first come, first served. Clients of one credential share the
//     limit and the time until which a 429 stopped them (Settings.Quotas).
//
// When things fail: Get asks once (and once more with a fresh token after 401 or
// 403) and returns an *Error. Fetch asks for the same link up to three times more
// when the fault is one that may pass: network, 5xx, 408, 425, a cut, slow, or
// undecodable body. It waits between 0.6 and 1 s first, doubling up to 60 s, or as
// long as Retry-After says. 429 is waited out for as long as the context lives.
//
// Pages follows next links, each page decoded whole before it is used: see the example.
package httpclient
