package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// perPage is the most that RingCentral puts on a page; it cuts what is above.
	perPage = 1000
	// maxPages is the last page that RingCentral has: a million rows.
	maxPages = 1000
)

// The ways in which a chain of next pages fails. The range has to be read again from
// its beginning.
var (
	errLinkExpired  = errors.New("the link to the next page is no longer good")
	errLinkRepeated = errors.New("the link to the next page repeats")
	errEndless      = fmt.Errorf("the answer has more than %d pages", maxPages)
)

// pager reads an answer page by page.
type pager struct {
	client  *httpclient.Client
	feed    string
	label   string // of the endpoint, for errors
	decoder *pageDecoder
	// halted says that a failure of reading isn't the page's: it isn't asked for again.
	halted func() bool
}

// read follows the links and calls done after each page.
func (p *pager) read(ctx context.Context, link string, done func(last bool) error) error {
	seen := newLinks()
	for number := 1; link != ""; number++ {
		if number > maxPages {
			return errEndless
		}
		if err := p.check(link, seen); err != nil {
			return fmt.Errorf("read page %d: %w", number, err)
		}
		got, err := p.page(ctx, link, number)
		switch {
		case p.halted():
			return err
		case err != nil:
			return fmt.Errorf("read page %d: %w", number, err)
		}
		if err := done(got.next == ""); err != nil {
			return err
		}
		link = got.next
	}
	return nil
}

// check refuses links that leave the host and links that were read before.
func (p *pager) check(link string, seen *links) error {
	target, err := p.client.Resolve(link)
	if err != nil {
		return err
	}
	if !seen.add(target.String()) {
		return errLinkRepeated
	}
	return nil
}

// page reads one page, again if it breaks.
func (p *pager) page(ctx context.Context, link string, number int) (got answer, err error) {
	request := httpclient.Request{Feed: p.feed, URL: link, Label: p.label, ExpectJSON: true}
	err = p.client.Fetch(ctx, request, func(response *httpclient.Response) error {
		got, err = p.decoder.decode(response.Body, number)
		if err != nil && !p.halted() && !errors.Is(err, errTooManyRows) {
			return httpclient.Retryable(err)
		}
		return err
	})
	err = withProblem(err)
	if number > 1 && refusesLink(httpclient.KindOf(err)) {
		return answer{}, fmt.Errorf("%w: %w", errLinkExpired, err)
	}
	return got, err
}

// refusesLink says whether an answer to a next page's link means that it has expired.
func refusesLink(kind httpclient.Kind) bool {
	return kind == httpclient.KindBadRequest || kind == httpclient.KindNotFound || kind == httpclient.KindGone
}

// links remembers the links of one read, by their hash.
type links struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func newLinks() *links { return &links{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}} }

// add says whether the link is new.
func (l *links) add(link string) bool {
	key := maphash.String(l.seed, link)
	_, known := l.seen[key]
	l.seen[key] = struct{}{}
	return !known
}
