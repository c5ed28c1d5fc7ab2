// Package httpclient is the HTTP client for all providers. It knows none of them: it gets a host, a
// way to authorise and a budget.
//
// Invariants:
//
//   - A request, and so a token, only goes to the scheme, host and port of Settings.BaseURL. Every
//     redirect is an error.
//   - No error text contains a query string, a token, user information or any part of a body,
//     except what Settings.Quote returns. Error.Body holds the first bytes of a refused answer for
//     the provider to parse; this package never prints it.
//   - A body is read whole before a caller sees it. There are limits on its decompressed bytes, on
//     the time without a byte and on the total time. A body that ends too early is an error.
//   - Throttling stops every feed that shares the client until the provider's time has passed. It
//     never uses up a retry.
//   - Our requests never exceed the provider's limit (Settings.Limit), and they leave room for
//     other programs' requests that the provider's answers report. Limited requests go one at a
//     time, in order of arrival. Clients of one credential share the limit, and the pause after a
//     429 (Settings.Quotas).
//
// Errors: Get sends one request, and a second one with a fresh token after 401 or 403. It returns
// an *Error. Fetch retries the same link up to three times if the fault may pass: network, 5xx,
// 408, 425, or a body that is cut, slow or can't be decoded. It waits 0.6 to 1 s first, then twice
// as long each time, up to 60 s, or as long as Retry-After says. It waits out a 429 for as long as
// the context lives.
//
// Pages follows next links and decodes each page whole before a caller uses it: see the example.
package httpclient
