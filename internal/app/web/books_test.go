package web_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestBooksText: the sentence above the books says what is known, and no more.
func TestBooksText(t *testing.T) {
	const yesterday, before = "2026-03-28", "2026-03-27"
	total := func(day string, counted, read, theirs int64) web.Book {
		return web.Book{Day: day, Records: counted, Total: &web.DayTotal{Records: theirs, Read: read}}
	}
	audited := func(day string, listed, missing int64, differs bool) web.Book {
		return web.Book{
			Day: day, Records: listed - missing,
			Audit: &web.DayAudit{Listed: listed, Missing: missing, Differs: differs},
		}
	}
	incomplete := total(yesterday, 5, 5, 5)
	incomplete.Incomplete = true
	short := audited(yesterday, 41203, 0, false)
	short.Total = &web.DayTotal{Records: 41205, Read: 41203}
	premium := total(yesterday, 5, 5, 5)
	premium.Total.ChargesDiffer = true
	for name, test := range map[string]struct {
		wave, acme []web.Book
		want       string
	}{
		"no books": {want: ""},
		"nothing to compare": {
			wave: []web.Book{{Day: yesterday, Records: 5}},
			want: "The counts of these days weren't compared: no provider gave a total, and no day was audited completely.",
		},
		"a total": {
			wave: []web.Book{total(yesterday, 41203, 41203, 41203)},
			want: "All 41,203 records of yesterday that wavix lists are counted.",
		},
		"one record": {
			wave: []web.Book{total(yesterday, 1, 1, 1)},
			want: "The only record of yesterday that wavix lists is counted.",
		},
		"none": {
			wave: []web.Book{total(yesterday, 0, 0, 0)},
			want: "For yesterday wavix lists no records.",
		},
		"all read, some of them can't be": {
			wave: []web.Book{total(yesterday, 41200, 41203, 41203)},
			want: "All 41,203 records of yesterday that wavix lists were read.",
		},
		"an audit of an earlier day": {
			wave: []web.Book{{Day: yesterday}, audited(before, 12, 0, false)},
			want: "All 12 records of 2026-03-27 that wavix lists are counted.",
		},
		"another feed that isn't compared": {
			wave: []web.Book{total(yesterday, 3, 3, 3)}, acme: []web.Book{{Day: yesterday}},
			want: "All 3 records of yesterday that wavix lists are counted. 1 other feed wasn't compared.",
		},
		"two providers": {
			wave: []web.Book{total(yesterday, 3, 3, 3)},
			acme: []web.Book{audited(yesterday, 4, 0, false)},
			want: "All 7 records of yesterday that the providers list are counted.",
		},
		"not read to its end": {
			wave: []web.Book{incomplete},
			want: "The counts of these days weren't compared: no provider gave a total, and no day was audited completely.",
		},
		"missing by an audit": {
			wave: []web.Book{total(yesterday, 3, 3, 3), audited(before, 12, 2, true)},
			want: "2 of 12 records of 2026-03-27 that wavix lists aren't counted: see wave calls.",
		},
		"missing by a total": {
			wave: []web.Book{short},
			want: "2 of 41,205 records of yesterday that wavix lists aren't counted: see wave calls.",
		},
		"more than the total": {
			wave: []web.Book{total(yesterday, 6, 6, 4)},
			want: "2 more records of yesterday were read than wavix lists: see wave calls.",
		},
		"amounts by a total": {
			wave: []web.Book{premium},
			want: "The counted amounts of yesterday differ from what wavix lists: see wave calls.",
		},
		"amounts": {
			wave: []web.Book{audited(yesterday, 4, 0, true)},
			want: "The counted amounts of yesterday differ from what wavix lists: see wave calls.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			backend := &stories.Backend{Shown: web.Status{Sources: []web.Source{
				{Name: "wave", Provider: "wavix", Feeds: []web.Feed{{Feed: "calls", Books: test.wave}}},
				{Name: "acme", Provider: "twilio", Feeds: []web.Feed{{Feed: "calls", Books: test.acme}}},
			}}}
			if got := statusOf(t, backend).Books; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestPageHasTheBooks: the table has a row for each day and feed. It marks differences, and says what
// isn't known.
func TestPageHasTheBooks(t *testing.T) {
	body, _ := statusPage(t, stories.Everything())
	for _, want := range []string{
		`<p id="books-text">The counted amounts of yesterday differ from what wavix lists: see wave call_log.</p>`,
		`<tr data-key="2026-03-28 wave call_log">`, `812.5 EUR; 1 USD; the provider says 813 EUR`,
		`<span class="state" data-state="error">-2</span> <span class="note">audited 1 h ago</span>`,
		`<td data-label="Difference">not audited</td>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
