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
func (c *Client) Pages(ctx context.Context, request Request, most int, decode func(*Response) (next string, err error)) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		followed := make(map[string]bool)
		for number := 1; request.URL != ""; number++ {
			if number > most {
				yield(number, fmt.Errorf("%w: over %d", ErrTooManyPages, most))
				return
			}
			next, err := c.page(ctx, request, followed, decode)
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

// page fetches one page. It refuses a link that leaves the host, as Resolve does, and one that was followed before.
func (c *Client) page(ctx context.Context, request Request, followed map[string]bool, decode func(*Response) (string, error)) (next string, err error) {
	target, err := c.Resolve(request.URL)
	if err != nil {
		return "", err
	}
	link := target.String()
	if followed[link] {
		return "", ErrLinkRepeated
	}
	followed[link] = true
	err = c.Fetch(ctx, request, func(response *Response) error {
		next, err = decode(response)
		return err
	})
	return next, err
}

// RefusesLink says whether an answer to a link that was given means that it has expired.
func (k Kind) RefusesLink() bool {
	return k == KindBadRequest || k == KindNotFound || k == KindGone
}
