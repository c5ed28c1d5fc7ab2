package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// masterCSV is Asterisk's file of call records, written and rotated while it is read.
type masterCSV struct {
	path      string
	rng       *rand.Rand
	rows, old int
	rest      string         // of a row that isn't written to its end yet
	written   map[string]int // by outcome
}

// append writes some rows. Unless whole is set, it writes only a part of the last row until the
// next call, like a program with a buffer. Rows have no id, and many rows of a file are equal.
func (m *masterCSV) append(whole bool) error {
	f, err := os.OpenFile(m.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	text := m.rest
	for range m.rng.IntN(200) {
		word := []string{"ANSWERED", "BUSY", "NO ANSWER"}[m.rng.IntN(3)]
		outcome := map[string]string{"ANSWERED": "answered", "BUSY": "busy", "NO ANSWER": "no_answer"}[word]
		text += fmt.Sprintf(`"","100","4930123456","from-internal","a ""b""`+"\n"+
			`c","PJSIP/100-00000001","PJSIP/carrier-%08x","Dial","",%q,,%[2]q,4,0,%q,"DOCUMENTATION"`+"\n",
			3*m.old+m.rng.IntN(3), time.Now().UTC().Format(time.DateTime), word)
		m.rows++
		m.written[outcome]++
	}
	at := len(text)
	if !whole {
		at -= m.rng.IntN(min(at, 100) + 1)
	}
	_, err = f.WriteString(text[:at])
	m.rest = text[at:]
	return errors.Join(err, f.Close())
}

func (m *masterCSV) rotate() error {
	m.old++
	return os.Rename(m.path, fmt.Sprintf("%s.%d", m.path, m.old))
}

// TestFilesBetweenKills (definitions.md 3): a writer appends and rotates while the exporter is
// killed again and again; every row is counted once.
func TestFilesBetweenKills(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.configureSources(settings{}, "  - name: pbx\n    asterisk: {paths: [cdr-csv/Master.csv*], "+
		"time_zone: UTC, trunks: [PJSIP/carrier*], cdr: {interval: 1s}}\n")
	m := &masterCSV{
		path: s.path("cdr-csv/Master.csv"), rng: rand.New(rand.NewPCG(1, 5)),
		written: make(map[string]int),
	}
	if err := errors.Join(os.Mkdir(filepath.Dir(m.path), 0o700), m.append(true)); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(50 * time.Millisecond):
			}
			err := m.append(n%8 == 0)
			if err == nil && n%8 == 0 {
				err = m.rotate()
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 5 {
		x := start(t, s.vault, launch{config: file}).serving()
		eventually(t, "count something", func() error {
			if x.scrape().sum("cdr_exporter_rows_total", "result=new") < 500 {
				return errors.New("too little was read")
			}
			return nil
		})
		x.kill()
	}
	close(stop)
	require.NoError(t, <-stopped)
	if err := m.append(true); err != nil {
		t.Fatal(err)
	}
	x := start(t, s.vault, launch{config: file}).ready()
	eventually(t, "count every row once", func() error {
		var errs []error
		scraped := x.scrape()
		for outcome, want := range m.written {
			if got := scraped.sum("cdr_calls_total", "outcome="+outcome, "trunk=PJSIP/carrier",
				"direction=outbound"); got != float64(want) {
				errs = append(errs, fmt.Errorf("%g calls are %s, want %d", got, outcome, want))
			}
		}
		return errors.Join(errs...)
	})
	if scraped := x.scrape(); scraped.sum("cdr_calls_total") != float64(m.rows) ||
		scraped.sum("cdr_exporter_rows_total", "result=invalid") > 0 {
		t.Errorf("%g of %d rows are calls, %g are invalid", scraped.sum("cdr_calls_total"), m.rows,
			scraped.sum("cdr_exporter_rows_total", "result=invalid"))
	}
	x.stop()
}
