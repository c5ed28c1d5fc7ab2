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

// meter shows how far a backfill is, with its rate and the time that is left: on a
// terminal only. Notes are always told.
type meter struct {
	out io.Writer
	bar *progressbar.ProgressBar // nil: nobody looks
	// total is of all feeds, before of those that were read already.
	total, before, now time.Duration
	name               string
	shown              time.Time
}

// often is how often the bar is drawn.
const often = 100 * time.Millisecond

// newMeter makes the meter of some feeds.
func newMeter(out io.Writer, feeds []*pastFeed) *meter {
	file, ok := out.(*os.File)
	return meterOn(out, ok && term.IsTerminal(int(file.Fd())), feeds)
}

func meterOn(out io.Writer, terminal bool, feeds []*pastFeed) *meter {
	m := &meter{out: out}
	for _, f := range feeds {
		m.total += f.length()
	}
	if terminal {
		m.bar = newBar(out, int64(m.total/time.Minute), "min")
	}
	return m
}

// newBar makes a bar of so many units.
func newBar(out io.Writer, units int64, unit string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(max(units, 1),
		progressbar.OptionSetWriter(out), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true), progressbar.OptionSetWidth(20))
}

// feed begins a feed.
func (m *meter) feed(f *pastFeed) {
	m.before += m.now
	m.now, m.name = f.length(), f.name()
	m.progress(history.Progress{})
}

// writing begins to write so many series.
func (m *meter) writing(series int) {
	m.end()
	if m.bar != nil {
		m.bar = newBar(m.out, int64(series), "series")
		m.bar.Describe("writing")
	}
}

// progress shows how far it is.
func (m *meter) progress(p history.Progress) {
	if m.bar == nil || time.Since(m.shown) < often {
		return
	}
	m.shown = time.Now()
	switch {
	case p.Written > 0:
		_ = m.bar.Set(p.Written) // what can't be shown isn't
	default:
		m.bar.Describe(fmt.Sprintf("%s, %d calls", m.name, p.Calls))
		_ = m.bar.Set64(int64((m.before + p.Read) / time.Minute))
	}
}

// note prints a line.
func (m *meter) note(text string) {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	fmt.Fprintln(m.out, text)
}

// end takes the bar away.
func (m *meter) end() {
	if m.bar != nil {
		_ = m.bar.Clear()
	}
}
