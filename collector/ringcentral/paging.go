package ringcentral

import (
	"context"
	"errors"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// perPage is the most that RingCentral puts on a page; it cuts what is above.
	perPage = 1000
	// maxPages is the last page that RingCentral has: a million rows.
	maxPages = 1000
)

// errEndless ends a chain of links. The range has to be read again from its beginning.
var errEndless = fmt.Errorf("the answer has more than %d pages", maxPages)

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
	chain := p.client.Chain()
	for number := 1; link != ""; number++ {
		if number > maxPages {
			return errEndless
		}
		if err := chain.Follow(link); err != nil {
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
	if number > 1 && httpclient.KindOf(err).RefusesLink() {
		return answer{}, fmt.Errorf("%w: %w", httpclient.ErrLinkExpired, err)
	}
	return got, err
}
