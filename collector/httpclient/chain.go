package httpclient

import (
	"errors"
	"hash/maphash"
)

// The ways in which a chain of links from page to page fails. What was to be read has to
// be read again from its beginning.
var (
	// ErrLinkRepeated is a link that was followed before: the chain would never end.
	ErrLinkRepeated = errors.New("the link to the next page repeats")
	// ErrLinkExpired is for whoever is refused a link that was given: see RefusesLink.
	ErrLinkExpired = errors.New("the link to the next page is no longer good")
)

// Chain follows links from page to page of one read, which it remembers by their hash.
// It is for one goroutine.
type Chain struct {
	client *Client
	seed   maphash.Seed
	seen   map[uint64]struct{}
}

// Chain begins a read.
func (c *Client) Chain() *Chain {
	return &Chain{client: c, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// Follow refuses a link that leaves the host, as Resolve does, and one that was followed
// before.
func (c *Chain) Follow(link string) error {
	target, err := c.client.Resolve(link)
	if err != nil {
		return err
	}
	key := maphash.String(c.seed, target.String())
	if _, known := c.seen[key]; known {
		return ErrLinkRepeated
	}
	c.seen[key] = struct{}{}
	return nil
}

// RefusesLink says whether an answer to a link that was given means that it has expired.
func (k Kind) RefusesLink() bool {
	return k == KindBadRequest || k == KindNotFound || k == KindGone
}
