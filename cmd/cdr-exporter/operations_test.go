package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCommandsAreDocumented: docs/operations.md lists every command.
func TestCommandsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	rows, _, found := strings.Cut(string(page), "\n\n`cdr-exporter COMMAND --help`")
	if !found {
		t.Fatal("the sentence after the table of commands is missing")
	}
	_, commands := newCLI(streams{out: io.Discard, errors: io.Discard}, nil)
	for name := range commands {
		if !strings.Contains(rows, "`"+name+"`") && !strings.Contains(rows, "`"+name+" ") {
			t.Errorf("docs/operations.md has no row for `%s`", name)
		}
	}
}

// TestFlagsOfOperations: each flag that docs/operations.md names is one of a command.
func TestFlagsOfOperations(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	cli, _ := newCLI(streams{out: io.Discard, errors: io.Discard}, nil)
	known := make(map[string]bool)
	for _, command := range cli.Model().FlattenedCommands() {
		for _, flag := range append(command.Flags, cli.Model().Flags...) {
			known[flag.Name] = true
		}
	}
	for _, found := range regexp.MustCompile(`--([a-z][a-z.-]*)`).FindAllStringSubmatch(string(page), -1) {
		if !known[found[1]] {
			t.Errorf("docs/operations.md names --%s, which no command has", found[1])
		}
	}
}

// TestTimes: the forms of --from and --to. Days and months begin at a midnight of the zone.
func TestTimes(t *testing.T) {
	for _, test := range []struct{ text, zone, want string }{
		{"00:05", "UTC", "2026-12-31T23:05:00Z"},
		{"00:30", "UTC", "2026-12-31T23:30:00Z"},
		{"23:30", "UTC", "2026-12-31T22:30:00Z"},
		{"24:30", "UTC", ""},
		{"3h", "UTC", "2026-12-31T20:30:00Z"},
		{"3h", "Europe/Berlin", "2026-12-31T20:30:00Z"},
		{"2026-11-20", "UTC", "2026-11-20T00:00:00Z"},
		{"2026-03-01", "Europe/Berlin", "2026-02-28T23:00:00Z"},
		{"2026-04-01", "Europe/Berlin", "2026-03-31T22:00:00Z"},
		{"2026-09-06", "America/Santiago", "2026-09-06T04:00:00Z"}, // has no midnight
		{"2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00Z"},     // nor has this day
		{"2026-11-20T12:00:00Z", "Europe/Berlin", "2026-11-20T12:00:00Z"},
		{"this-month", "UTC", "2026-12-01T00:00:00Z"},
		{"last-month", "UTC", "2026-11-01T00:00:00Z"},
		{"this-month", "Europe/Berlin", "2026-12-31T23:00:00Z"},
		{"last-month", "Europe/Berlin", "2026-11-30T23:00:00Z"},
		{"soon", "UTC", ""},
		{"", "UTC", ""},
	} {
		t.Run(test.text+" "+test.zone, func(t *testing.T) {
			zone, err := time.LoadLocation(test.zone)
			require.NoError(t, err)
			newYear := time.Date(2027, 1, 1, 0, 30, 0, 0, time.FixedZone("CET", 3600)) // still 2026 in UTC
			got, err := parseTime(test.text, newYear, zone)
			if (err != nil) != (test.want == "") || err == nil && got.Format(time.RFC3339) != test.want {
				t.Errorf("got %s, %v, want %q", got, err, test.want)
			}
		})
	}
}
