package main_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
)

// TestAnotherUser (counting.md 33): another user's JWT, whether it comes while the exporter runs or
// is stopped, stops the feeds of its source with an error that says what to do, before any page is
// read. The former user's JWT, or account: same, resumes them.
func TestAnotherUser(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{seed: 57, calls: 250, era: unfoldingEra})
	// The user's own source reads what belongs to the user: here only the account's is of interest.
	only := func(x *exporter, p place, at ...time.Time) {
		t.Helper()
		for _, feed := range p.feeds() {
			x.countsFeed(p, p.source(), feed, at...)
		}
	}
	stopped := func(x *exporter) {
		t.Helper()
		eventually(t, "say that the user is another", func() error {
			f := x.feed("acme", callLog)
			if f.State != "error" || !strings.Contains(f.LastError, "another") ||
				!strings.Contains(f.LastError, "account: same") {
				return errors.New(f.State + ": " + f.LastError)
			}
			return nil
		})
	}
	other := e.office.MintJWTFor(rcsim.OtherUser)
	e.vault.hide("the id of the other user", rcsim.OtherUser)
	e.hold()
	x := e.start(settings{}).ready()
	x.countsAll(e)
	began := e.at(e.office)

	e.keep("ringcentral-jwt", other)
	e.office.KillSessions()
	stopped(x)
	e.pass(12 * time.Hour)
	only(x, e.tenant, e.at(e.tenant)...) // other sources go on
	only(x, e.office, began...)
	e.keep("ringcentral-jwt", e.office.JWT())
	x.countsAll(e)

	e.keep("ringcentral-jwt", other)
	x.stop()
	x = e.start(settings{}).serving() // a start says it too
	stopped(x)
	only(x, e.tenant, e.at(e.tenant)...)
	e.office.more = "      account: same\n"
	e.configure(settings{})
	x.reload(http.MethodPost, http.StatusOK)
	e.pass(12 * time.Hour)
	only(x, e.office, e.at(e.office)...)
	x.stop()
}
