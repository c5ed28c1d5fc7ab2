package httpclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// The ways in which a sequence of pages fails. The caller has to read it again from its beginning.
var (
	// ErrLinkRepeated: a link that was already followed; the pages would never end.
	ErrLinkRepeated = errors.New("the link to the next page repeats")
	// ErrLinkExpired: the provider refused a link that it gave itself.
	ErrLinkExpired = errors.New("the link to the next page is no longer good")
	// ErrTooManyPages: an implausible number of pages.
	ErrTooManyPages = errors.New("the answer has more pages than there can be")
)

// Pages fetches an answer and the pages that its next links lead to, at most the given number.
// decode works as for Fetch and returns the next link unchanged, empty after the last page. Pages
// yields each page's number, from 1, after it was decoded. An error ends the sequence.
func (c *Client) Pages(
	ctx context.Context, request Request, most int, decode func(body []byte) (next string, err error),
) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		followed := make(map[string]bool)
		for number := 1; request.URL != ""; number++ {
			next, err, link := "", ErrLinkRepeated, request.URL
			if target, err := c.Resolve(link); err == nil { // else Fetch refuses it
				link = target.String()
			}
			if request.NextBody != nil {
				request.Body = request.NextBody()
				link += "\n" + string(request.Body)
			}
			switch {
			case number > most:
				err = fmt.Errorf("%w: over %d", ErrTooManyPages, most)
			case !followed[link]:
				followed[link] = true
				err = c.Fetch(ctx, request, func(body []byte) (err error) {
					next, err = decode(body)
					return err
				})
			}
			if number > 1 && KindOf(err).RefusesLink() {
				err = fmt.Errorf("%w: %w", ErrLinkExpired, err)
			}
			if err != nil {
				yield(number, fmt.Errorf("read page %d: %w", number, err))
				return
			}
			if !yield(number, nil) {
				return
			}
			request.URL = next
		}
	}
}

// RefusesLink says whether the answer to a link of the provider's means that the link has expired.
func (k Kind) RefusesLink() bool {
	return k == KindBadRequest || k == KindNotFound || k == KindGone
}
