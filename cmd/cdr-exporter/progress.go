package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
)

// meter shows the progress of a command's steps, with rate and time left, on a terminal only. Notes
// are always printed.
type meter struct {
	out, bars io.Writer
	name      string
	bar       *progressbar.ProgressBar
}

func newMeter(out io.Writer) *meter {
	m := &meter{out: out, bars: io.Discard, bar: progressbar.DefaultSilent(1)}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		m.bars = out
	}
	return m
}

// step starts the next step, with a number of units.
func (m *meter) step(name string, units int64, unit string) {
	m.end()
	m.name = name
	m.bar = progressbar.NewOptions64(max(units, 1),
		progressbar.OptionSetWriter(m.bars), progressbar.OptionSetDescription(name), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true), progressbar.OptionSetWidth(20))
}

// progress updates the bar. Errors of the terminal don't matter, because nothing depends on the
// bar.
func (m *meter) progress(p history.Progress) {
	if p.Written > 0 {
		m.set(int64(p.Written))
		return
	}
	m.bar.Describe(fmt.Sprintf("%s, %d calls", m.name, p.Calls))
	m.set(int64(p.Read / time.Minute))
}

func (m *meter) set(units int64) { _ = m.bar.Set64(units) }

func (m *meter) note(text string) {
	m.end()
	fmt.Fprintln(m.out, text)
}

func (m *meter) end() { _ = m.bar.Clear() }
