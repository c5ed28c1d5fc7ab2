package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

func TestRequest(t *testing.T) {
	const simple = testHost + "/restapi/v1.0/account/~/extension/~/call-log?dateFrom=2026-11-01T00%3A00%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Simple"
	extension := extensionLog()
	extension.view = "Simple"
	for _, test := range []struct {
		name     string
		log      *callLog
		from, to time.Time
		want     string
	}{
		{"account, detailed", accountLog(), from, to, firstPage},
		{"extension, simple", extension, from, to, simple},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{rowsReply("")}}
			err := providertest.Read(t.Context(), p.open(test.log), test.from, test.to, func(*collector.Page) error {
				t.Error("an empty page is handed on")
				return nil
			})
			if err != nil || !slices.Equal(p.asked, []string{test.want}) {
				t.Errorf("asked %q, want %q; error %v", p.asked, test.want, err)
			}
		})
	}
}

// TestPaging: a read goes on while there is a next page, short and empty ones included,
// and follows the link as it was given.
func TestPaging(t *testing.T) {
	const second, third = testHost + "/restapi/v1.0/account/1/call-log?page=2", testHost + "/restapi/v1.0/account/1/call-log?page=3&x=a%2Fb"
	p := &platform{t: t, answers: []reply{rowsReply(second, "1"), rowsReply(third), rowsReply("", "2", "3")}}
	got, err := ids(t.Context(), p.open(accountLog()))
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{firstPage, second, third}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

// TestShiftedPages: rows that come again are handed on again; ids tell (counting.md 9).
func TestShiftedPages(t *testing.T) {
	p := &platform{t: t, answers: []reply{rowsReply("/2", "3", "2"), rowsReply("", "2", "1")}}
	if got, err := ids(t.Context(), p.open(accountLog())); err != nil || !slices.Equal(got, []string{"3", "2", "2", "1"}) {
		t.Errorf("read %q, error %v", got, err)
	}
}

// TestHostileLink: a link that leaves the host is refused before anything is sent.
func TestHostileLink(t *testing.T) {
	for _, link := range []string{
		"https://evil.example/restapi", "http://rc.example/restapi", "https://rc.example:444/x", "//evil.example/x",
		"https://rc.example@evil.example/x", "https://user:s3cret@rc.example/x",
	} {
		p := &platform{t: t, answers: []reply{rowsReply(link, "1"), rowsReply("", "2")}}
		got, err := ids(t.Context(), p.open(accountLog()))
		if httpclient.KindOf(err) != httpclient.KindHost || len(p.asked) != 1 || !slices.Equal(got, []string{"1"}) {
			t.Errorf("%s: asked %d times, read %q, error %v", link, len(p.asked), got, err)
		}
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("the error holds a password: %v", err)
		}
	}
}

// TestRepeatedLink: counting.md 9.
func TestRepeatedLink(t *testing.T) {
	for name, answers := range map[string][]reply{
		"itself":      {rowsReply(firstPage, "1")},
		"in a circle": {rowsReply("/a"), rowsReply("/b"), rowsReply("/a")},
	} {
		p := &platform{t: t, answers: answers}
		if _, err := ids(t.Context(), p.open(accountLog())); !errors.Is(err, httpclient.ErrLinkRepeated) {
			t.Errorf("%s: error %v, want httpclient.ErrLinkRepeated", name, err)
		}
	}
}

func TestEndlessRange(t *testing.T) {
	p := &platform{t: t}
	for i := range maxPages + 1 {
		p.answers = append(p.answers, rowsReply(fmt.Sprintf("/p?%d", i)))
	}
	if _, err := ids(t.Context(), p.open(accountLog())); !errors.Is(err, httpclient.ErrTooManyPages) || len(p.asked) != maxPages {
		t.Errorf("asked %d times, error %v", len(p.asked), err)
	}
}

// TestExpiredLink: the range fails, and the next read begins at its beginning.
func TestExpiredLink(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone} {
		p := &platform{t: t, answers: []reply{rowsReply("/next", "1"), refuses(status, "InvalidParameter", "CMN-101", ""), rowsReply("", "1")}}
		log := p.open(accountLog())
		got, err := ids(t.Context(), log)
		if !errors.Is(err, httpclient.ErrLinkExpired) || !slices.Equal(got, []string{"1"}) || !strings.Contains(fmt.Sprint(err), "CMN-101") {
			t.Errorf("%d: read %q, error %v", status, got, err)
		}
		if _, err := ids(t.Context(), log); err != nil || p.asked[2] != firstPage {
			t.Errorf("%d: then asked %q, error %v", status, p.asked[2], err)
		}
	}
	p := &platform{t: t, answers: []reply{{status: http.StatusBadRequest}}}
	if _, err := ids(t.Context(), p.open(accountLog())); errors.Is(err, httpclient.ErrLinkExpired) || httpclient.KindOf(err) != httpclient.KindBadRequest {
		t.Errorf("the first request is no link: %v", err)
	}
}

// TestBrokenPage: a page that isn't whole is asked for at the same link three times more.
func TestBrokenPage(t *testing.T) {
	cut := reply{body: `{"records":[` + call("1", "") + `,{"id"`}
	for _, test := range []struct {
		name   string
		broken reply
		times  int
		ok     bool
	}{
		{"cut once", cut, 1, true},
		{"cut three times", cut, 3, true},
		{"cut four times", cut, 4, false},
		{"no page", reply{body: `{}`}, 3, true},
		{"no page for good", reply{body: `{}`}, 4, false},
		{"HTML", reply{body: "<html>Sign in</html>", header: http.Header{"Content-Type": {"text/html"}}}, 3, true},
		{"server fault", reply{status: 503}, 3, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := append(slices.Repeat([]reply{test.broken}, test.times), rowsReply("", "1", "2"))
				p := &platform{t: t, answers: append([]reply{rowsReply("/next", "0")}, answers...)}
				got, err := ids(t.Context(), p.open(accountLog()))
				want := []string{"0", "1", "2"}
				if !test.ok {
					want = want[:1]
				}
				if (err == nil) != test.ok || !slices.Equal(got, want) {
					t.Errorf("read %q, want %q, error %v", got, want, err)
				}
				if asked := min(test.times+2, httpclient.Repeats+2); len(p.asked) != asked {
					t.Errorf("asked %d times, want %d", len(p.asked), asked)
				}
			})
		})
	}
}

func TestCommitError(t *testing.T) {
	full := errors.New("the disk is full")
	for name, first := range map[string]reply{
		"at the end of a page": rowsReply("/next", "1"),
		"within a long page":   rowsReply("/next", slices.Repeat([]string{"1"}, perPage+1)...),
	} {
		p := &platform{t: t, answers: []reply{first, rowsReply("", "2")}}
		err := providertest.Read(t.Context(), p.open(accountLog()), from, to, func(*collector.Page) error { return full })
		if err != full || len(p.asked) != 1 { //nolint:errorlint // it is to be returned as it is
			t.Errorf("%s: asked %d times, error %v", name, len(p.asked), err)
		}
	}
}

func TestCancelledRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &platform{t: t, answers: []reply{rowsReply("/next", "1")}}
	err := providertest.Read(ctx, p.open(accountLog()), from, to, func(*collector.Page) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestProbe(t *testing.T) {
	p := &platform{t: t, answers: []reply{rowsReply("/next", "1"), refuses(http.StatusForbidden, "InsufficientPermissions", "CMN-408", "FullCompanyCallLog")}}
	log := p.open(accountLog())
	probe := collector.Probe(log, func() time.Time { return to })
	if rows, err := probe(t.Context()); rows != 1 || err != nil {
		t.Errorf("%d rows, error %v", rows, err)
	}
	want := []string{testHost + "/restapi/v1.0/account/~/call-log?dateFrom=2026-11-01T23%3A59%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Detailed"}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
	_, err := probe(t.Context())
	if httpclient.KindOf(err) != httpclient.KindForbidden || len(p.asked) != 2 {
		t.Errorf("asked %d times, error %v", len(p.asked), err)
	}
	if what, todo := Advise(err); !strings.Contains(what, "lacks the permission FullCompanyCallLog") || !strings.Contains(todo, "Admin Portal") {
		t.Errorf("it says %q and %q", what, todo)
	}
}
