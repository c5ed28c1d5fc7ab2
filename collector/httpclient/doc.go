// Package httpclient is the one HTTP client that every provider asks through.
// It knows no provider: it is given a host, a way to authorise and a budget.
//
// Invariants:
//
//   - No request, and so no token, leaves for another scheme, host or port than
//     those of Settings.BaseURL. Redirects are errors, whatever they point at.
//   - No error text holds a query string, a token, user information or anything
//     of a body. Error.Body holds the first bytes of a refused answer for the
//     provider to parse; nothing here prints it.
//   - A body is bounded in decompressed bytes, in the time without a byte and in
//     the time that reading it takes. One that ends too early is an error, never
//     an end of file.
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
// A page is decoded as it streams:
//
//	client, err := httpclient.New(httpclient.Settings{
//		BaseURL:           "https://graph.microsoft.com",
//		Token:             tokens,
//		RequestsPerMinute: 600,
//		UserAgent:         "cdr-exporter/1.0",
//	})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
//	request := httpclient.Request{
//		Feed:       "pstn",
//		URL:        nextLink, // absolute or relative; checked against BaseURL
//		Label:      "getPstnCalls",
//		ExpectJSON: true,
//	}
//	err = client.Fetch(ctx, request, func(resp *httpclient.Response) error {
//		page, err := decode(resp.Body)
//		if err != nil {
//			return httpclient.Retryable(err) // the page is asked for again
//		}
//		return sink.Commit(page) // an error of the ledger is not
//	})
//	if httpclient.KindOf(err) == httpclient.KindForbidden {
//		…
//	}
package httpclient
