package declared_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// mapper makes a mapper of the only feed of a definition.
func mapper(t testing.TB, text string, settings declared.MapperSettings) *declared.Mapper {
	t.Helper()
	d, err := declared.Load("acmetel.yaml", []byte(text))
	require.NoError(t, err)
	for _, feed := range d.Feeds {
		return declared.NewMapper(&feed, settings)
	}
	return nil
}

// newYork are settings of a source in New York.
func newYork(t testing.TB) declared.MapperSettings {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	return declared.MapperSettings{
		Parameters: map[string][]string{
			"tenant": {"t1"}, "carriers.acme": {"10.1.0.0/16", "2001:db8::/32"},
			"carriers.acme-fra": {"10.1.2.0/24"}, "carriers.solo": {"192.0.2.7"},
		},
		Zone: zone, EmergencyNumbers: []string{"112", "933"},
		Now: func() time.Time { return time.Date(2026, 2, 10, 12, 0, 0, 0, time.UTC) },
	}
}

// row is a row of a case: one without a start has one, and +N is a time N seconds after 10:00:00 UTC.
func row(line string) []byte {
	if !strings.Contains(line, `"start"`) {
		line = strings.Replace(strings.Replace(line, "{", `{"start":"2026-11-23T10:00:01+01:00",`, 1), ",}", "}", 1)
	}
	return []byte(regexp.MustCompile(`:\+\d+`).ReplaceAllStringFunc(line, func(text string) string {
		n, _ := strconv.Atoi(text[2:])
		return fmt.Sprint(":", 1_795_428_000+n)
	}))
}

// TestRows: what rows become. Each file of testdata/rows has a subject. A case has its definition as TestProblems
// does; its other lines are fields and rows.
func TestRows(t *testing.T) {
	files, err := filepath.Glob("testdata/rows/*.txt")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			golden.Cases(t, file, func(t *testing.T, c *golden.Case) {
				name, _, _ := strings.Cut(c.Name, ":")
				text, fields := base(t, name), ""
				for _, line := range c.Lines {
					if was, becomes, is := strings.Cut(line, " => "); is {
						text = strings.Replace(text, was, becomes, 1)
					} else if !strings.HasPrefix(line, "{") {
						fields += "      " + line + "\n"
					}
				}
				m := mapper(t, strings.Replace(text, "      FIELD\n", fields, 1), newYork(t))
				for i, line := range c.Lines {
					if strings.HasPrefix(line, "{") {
						c.Say(i, describe(m.MapJSON(row(line))))
					}
				}
			})
		})
	}
}

// describe says in a line what a row became, without what most rows are.
func describe(m rowmap.Result) string {
	r := m.Record
	switch {
	case m.Ignored:
		return "ignored"
	case r == nil:
		return "invalid: " + m.Invalid
	}
	fields := providertest.RowOf(r, "x.")
	maps.DeleteFunc(fields, func(key string, value any) bool {
		text := fmt.Sprint(key, " ", value)
		return key == "Synthetic" && !r.NoCall || slices.Contains([]string{
			"Start 2026-11-23T09:00:01Z", "Outcome answered", "Direction unknown", "Duration none",
		}, text)
	})
	var all []string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, strings.ReplaceAll(fmt.Sprint(key, " ", fields[key]), "\x1f", "|"))
	}
	if setup, known := r.Setup(); known {
		all = append(all, fmt.Sprint("set-up ", setup))
	}
	if talk, known := r.TalkTime(); known && r.Legs != nil {
		connected, _ := r.ConnectedTime()
		all = append(all, fmt.Sprint("talk ", talk, " connected ", connected))
	}
	if r.Party != cdr.Person {
		all = append(all, "party "+r.Party.String())
	}
	for i := range r.Streams {
		all = append(all, stream(&r.Streams[i]))
	}
	for text, is := range map[string]bool{"a visit": r.NoCall, "settled": r.Settled} {
		if is {
			all = append(all, text)
		}
	}
	if len(m.Unmapped) > 0 {
		all = append(all, "unmapped "+providertest.Unmapped(m.Unmapped))
	}
	return strings.Join(all, ", ")
}

func stream(s *cdr.Stream) (text string) {
	if s.Jitter.Known {
		text += fmt.Sprintf("jitter %s ", s.Jitter.Value)
	}
	if s.RoundTrip.Known {
		text += fmt.Sprintf("round trip %s ", s.RoundTrip.Value)
	}
	if s.Loss.Known {
		text += fmt.Sprintf("loss %g ", s.Loss.Value)
	}
	if s.MOS.Known {
		text += fmt.Sprintf("mos %g ", s.MOS.Value)
	}
	return fmt.Sprintf("%spackets %d %s %s", text, s.Packets.Value, s.Direction(), s.Verdict())
}
