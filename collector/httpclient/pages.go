package httpclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// The ways in which a sequence of pages fails. What was to be read has to be read again from its beginning.
var (
	// ErrLinkRepeated is a link that was followed before: the pages would never end.
	ErrLinkRepeated = errors.New("the link to the next page repeats")
	// ErrLinkExpired is a refusal of a link that the provider gave.
	ErrLinkExpired = errors.New("the link to the next page is no longer good")
	// ErrTooManyPages are more pages than there can be.
	ErrTooManyPages = errors.New("the answer has more pages than there can be")
)

// Pages fetches an answer and those that its next links lead to, at most so many. Decode is as for Fetch, and returns the next link as it
// was given, empty after the last page. Each page is yielded by its number, from 1, when it was decoded; an error ends the sequence.
func (c *Client) Pages(ctx context.Context, request Request, most int, decode func(body []byte) (next string, err error)) iter.Seq2[int, error] {
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

// RefusesLink says whether an answer to a link that was given means that it has expired.
func (k Kind) RefusesLink() bool {
	return k == KindBadRequest || k == KindNotFound || k == KindGone
}
