package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/cdr-exporter/cdr-exporter/internal/history"
)

// meter shows the progress of a backfill, its rate and the time left, on a terminal only. Notes are always printed.
type meter struct {
	out io.Writer
	bar *progressbar.ProgressBar // nil: no terminal
	// before is the length of the feeds that were read already, now that of the present one.
	before, now time.Duration
	name        string
	drawn       time.Time
}

func newMeter(out io.Writer, feeds []*pastFeed) *meter {
	file, ok := out.(*os.File)
	return meterOn(out, ok && term.IsTerminal(int(file.Fd())), feeds)
}

func meterOn(out io.Writer, terminal bool, feeds []*pastFeed) *meter {
	m := &meter{out: out}
	if terminal {
		total := time.Duration(0)
		for _, f := range feeds {
			total += f.To.Sub(f.from)
		}
		m.bar = newBar(out, int64(total/time.Minute), "min")
	}
	return m
}

func newBar(out io.Writer, units int64, unit string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(max(units, 1),
		progressbar.OptionSetWriter(out), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true), progressbar.OptionSetWidth(20))
}

// feed starts the next feed.
func (m *meter) feed(f *pastFeed) {
	m.before += m.now
	m.now, m.name = f.To.Sub(f.from), f.name()
	m.progress(history.Progress{})
}

// writing starts the writing of so many series.
func (m *meter) writing(series int) {
	m.end()
	if m.bar != nil {
		m.bar = newBar(m.out, int64(series), "series")
		m.bar.Describe("writing")
	}
}

// progress updates the bar.
func (m *meter) progress(p history.Progress) {
	if m.bar == nil || time.Since(m.drawn) < 100*time.Millisecond {
		return
	}
	m.drawn = time.Now()
	if p.Written > 0 {
		_ = m.bar.Set(p.Written) // nothing depends on what is shown
		return
	}
	m.bar.Describe(fmt.Sprintf("%s, %d calls", m.name, p.Calls))
	_ = m.bar.Set64(int64((m.before + p.Read) / time.Minute))
}

// note prints a line.
func (m *meter) note(text string) {
	m.end()
	fmt.Fprintln(m.out, text)
}

// end clears the bar.
func (m *meter) end() {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
}
