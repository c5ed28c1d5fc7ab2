package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestRangeOfFeed: where a feed's range ends. TestBackfillUpToLive and backfill.txtar have the usual ranges.
func TestRangeOfFeed(t *testing.T) {
	origin, now := noon.Add(5*time.Hour+time.Millisecond), noon.Add(24*time.Hour+time.Millisecond)
	for name, tc := range map[string]struct {
		to      time.Time
		live    string // the name under which it is counted; empty: not yet
		renamed string
		want    time.Time
		text    string // of the note or the error
	}{
		"under its former name":      {live: "former", renamed: "former", want: origin},
		"until now":                  {to: now, want: now},
		"another's ledger":           {live: "other", text: "--to is needed"},
		"begins after live counting": {live: "early", renamed: "early", text: "--from must be before 2026"},
	} {
		t.Run(name, func(t *testing.T) {
			span := &pastSpan{
				ledger: ledger.Storage{Folder: "data"}, from: noon, to: tc.to, now: now,
				summary: ledger.Summary{Origins: map[string]time.Time{
					tc.live + "/call_log": origin,
				}},
			}
			if tc.live == "early" {
				span.summary.Origins["early/call_log"] = noon.Add(-time.Hour)
			}
			f := &pastFeed{Feed: history.Feed{Source: "acme", Info: &collector.FeedInfo{Name: "call_log"}}}
			err := f.limit(span, tc.renamed)
			said := f.note
			if err != nil {
				said = err.Error()
			}
			if tc.want.IsZero() != (err != nil) || err == nil && !f.To.Equal(tc.want) ||
				!strings.Contains(said, tc.text) || tc.text == "" && said != "" {
				t.Errorf("it ends at %s: %q", f.To, said)
			}
		})
	}
}

// TestMeter: the bar shows rate and time left on a terminal, and nothing on a pipe; notes are
// printed on both.
func TestMeter(t *testing.T) {
	for name, terminal := range map[string]bool{"terminal": true, "pipe": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testMeter(t, terminal) })
		})
	}
	if newMeter(&bytes.Buffer{}).bars != io.Discard {
		t.Error("a buffer is taken for a terminal")
	}
}

func testMeter(t *testing.T, terminal bool) {
	var out bytes.Buffer
	m := newMeter(&out)
	if terminal {
		m.bars = &out
	}
	took := func(p history.Progress) {
		<-time.NewTimer(time.Second).C
		m.progress(p)
	}
	m.step("acme/call_log", 240, "min")
	took(history.Progress{Read: time.Hour, Calls: 12})
	m.note("something is left out")
	m.step("writing", 7, "series")
	took(history.Progress{Written: 3})
	m.end()
	if !terminal {
		if out.String() != "something is left out\n" {
			t.Errorf("on a pipe: %q", out.String())
		}
		return
	}
	for _, want := range []string{
		"acme/call_log, 12 calls  25% ", "(60/240, 60 min/s) [1s:3s]", "\rsomething is left out\n", "writing  42% ",
		"(3/7, 3 series/s)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q isn't shown: %q", want, out.String())
		}
	}
}

// TestAtomicFile: under its name a file is complete or not there.
func TestAtomicFile(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "past.om")
	failed := errors.New("failed")
	for _, want := range []error{failed, nil} {
		out, finish, err := createFile(name, nil)
		require.NoError(t, err)
		if _, err := out.Write([]byte("whole")); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is there too early: %v", err)
		}
		if err := finish(want); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 && want != nil {
			t.Errorf("%v is left, %v", left, err)
		}
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "whole" {
		t.Errorf("%q, %v", text, err)
	}
	// One that is replaced keeps who may read it, and a link to it stays.
	link := filepath.Join(folder, "link")
	require.NoError(t, errors.Join(os.Chmod(name, 0o600), os.Symlink(name, link)))
	if os.Getuid() == 0 {
		require.NoError(t, os.Chown(name, 1234, 5678))
	}
	owner := func() string {
		info, err := os.Stat(name)
		require.NoError(t, err)
		stat := reflect.Indirect(reflect.ValueOf(info.Sys())) // Windows doesn't have these fields
		return fmt.Sprint(info.Mode(), stat.FieldByName("Uid"), stat.FieldByName("Gid"))
	}
	before := owner()
	if _, finish, err := createFile(link, nil); err != nil || finish(nil) != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() || owner() != before {
		t.Errorf("%v; it is of %s, was of %s", err, owner(), before)
	}
	for bad, want := range map[string]string{
		folder:                             "is a folder",
		filepath.Join(folder, "none", "x"): "check that its folder exists",
	} {
		if _, _, err := createFile(bad, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, direct := range []string{"-", os.DevNull} {
		if _, finish, err := createFile(direct, io.Discard); err != nil || finish(nil) != nil {
			t.Errorf("%s: %v", direct, err)
		}
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("a device was replaced: %v", err)
	}
}
