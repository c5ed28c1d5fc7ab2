package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestInsertedSpanThatCantBeRead: an instant that the provider can't give doesn't stop the rows that a list by
// insertion has behind it (rule 31). The reader reads the instant once the provider gives it. While nothing is
// served, a poll asks four times at most.
func TestInsertedSpanThatCantBeRead(t *testing.T) {
	bad, healed := declaredtest.Noon.Add(-30*time.Minute), declaredtest.Noon.Add(5*time.Hour)
	outage := declaredtest.Noon.Add(2 * time.Hour) // for an hour
	f := new(declaredtest.API)
	asked, newest, overlap, behind, served := 0, time.Time{}, false, false, false
	f.Answer = func(r *http.Request) (string, http.Header) {
		from, _ := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
		to, _ := time.Parse(time.RFC3339, r.URL.Query().Get("to"))
		asked++
		isBad := !bad.Before(from) && bad.Before(to)
		switch {
		case isBad && f.Now.Before(healed), !f.Now.Before(outage) && f.Now.Before(outage.Add(time.Hour)):
			return "!404", nil
		case isBad:
			served = true
		default:
			overlap = overlap || from.Before(declaredtest.Noon.Add(-time.Hour))
			behind = behind || from.After(bad) && from.Before(bad.Add(2*time.Minute))
			if to.After(newest) {
				newest = to
			}
		}
		return declaredtest.Rows(5), nil
	}
	info := f.Open(t, "", "    request: {path: /calls, query: {from: '{from|rfc3339}', to: '{to|rfc3339}'}}\n"+
		"    filter: {by: inserted, max_range: 2h, retention: 12h, overlap: 5m}\n")
	var position []byte
	for poll := range 60 {
		asked = 0
		from := collector.StreamPosition{Resume: position, Origin: declaredtest.Noon.Add(-time.Hour), Now: f.Now}
		p, _, err := declaredtest.Poll(t, info, from)
		if p != nil {
			position = p
		}
		switch since := f.Now.Sub(outage); {
		case since >= 0 && since < time.Hour:
			if err == nil || asked > 4 {
				t.Errorf("poll %d, in an outage: asked %d times, %v", poll, asked, err)
			}
		case f.Now.Before(healed):
			if err == nil || asked > 20 {
				t.Errorf("poll %d: asked %d times, %v", poll, asked, err)
			}
			if late := f.Now.Sub(newest); poll > 5 && (late > 10*time.Minute || !behind) {
				t.Errorf("poll %d: the newest %s weren't asked for; behind the bad instant: %t", poll, late, behind)
			}
		case err != nil || !served:
			t.Errorf("poll %d, healed: %v", poll, err)
		}
		f.Now = f.Now.Add(10 * time.Minute)
	}
	if !overlap { // rows may have appeared there later
		t.Error("a list that was halved was read without the overlap")
	}
}
