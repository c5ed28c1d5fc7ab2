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

// meter shows the progress of a command's steps, with rate and time left, on a terminal only. Notes are always printed.
type meter struct {
	out      io.Writer
	terminal bool
	name     string
	bar      *progressbar.ProgressBar // nil: none is shown
}

func newMeter(out io.Writer) *meter {
	file, ok := out.(*os.File)
	return &meter{out: out, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// step starts the next step, of so many units.
func (m *meter) step(name string, units int64, unit string) {
	m.end()
	m.name = name
	if m.terminal {
		m.bar = progressbar.NewOptions64(max(units, 1),
			progressbar.OptionSetWriter(m.out), progressbar.OptionSetDescription(name), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true), progressbar.OptionSetWidth(20))
	}
}

// progress updates the bar. Nothing depends on what is shown, so that errors of the terminal don't matter.
func (m *meter) progress(p history.Progress) {
	switch {
	case m.bar == nil:
	case p.Written > 0:
		_ = m.bar.Set(p.Written)
	default:
		m.bar.Describe(fmt.Sprintf("%s, %d calls", m.name, p.Calls))
		_ = m.bar.Set64(int64(p.Read / time.Minute))
	}
}

// set says how many units are done.
func (m *meter) set(units int64) {
	if m.bar != nil {
		_ = m.bar.Set64(units)
	}
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
