package main_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// legsCase are rows of a provider, and what must be counted of them: each of `want` once for each copy.
type legsCase struct {
	Name, Way, Source, Header, Rows string
	Want                            []string
}

const (
	copies = 4
	// legsSettle is longer than it takes to kill an exporter that has read something.
	legsSettle = 20 * time.Second
)

// TestLegs (counting.md 36): the rows of calls come shuffled, with a downtime longer than `settle` and
// kill -9 between them, from each kind of source without requests. They count as if all had come at
// once. Legs and attempts on trunks are counted immediately. collector/declared.TestCalls has the rows
// of each provider, the laws of the definitions have pages and outages.
func TestLegs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/legs.yaml")
	require.NoError(t, err)
	var cases []legsCase
	require.NoError(t, yaml.Unmarshal(text, &cases))
	for _, c := range cases {
		name, _, _ := strings.Cut(c.Name, ",")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func (c *legsCase) run(t *testing.T) {
	p := &rowProvider{site: newSite(t), legsCase: c, began: time.Now()}
	switch c.Way {
	case "lines":
		p.write("rows", "")
	case "files":
		require.NoError(t, os.Mkdir(p.path("in"), 0o700))
	case "sqlite":
		p.execute(c.Header)
	}
	config := p.write("config.yaml", "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: src\n"+
		"    history: 3h\n    "+
		strings.NewReplacer("{dir}", p.folder, "SETTLE", fmt.Sprintf("settle: %s", legsSettle)).Replace(c.Source))
	run := func() *exporter { return start(t, p.vault, launch{config: config}).serving() }
	rows := p.rows()
	rng := rand.New(rand.NewPCG(uint64(len(c.Rows)), 1))
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	x := run()
	p.publish(rows[:len(rows)/3])
	x.showsSome("cdr_exporter_rows_total", "result=new")
	x.kill()
	<-time.After(legsSettle + time.Second)
	p.publish(rows[len(rows)/3:])
	x = run()
	want, legs := c.want(), float64(0)
	var early []string // these don't wait for their call
	for _, w := range want {
		_, _ = fmt.Sscanf(w, "legs %g", &legs)
		if strings.HasPrefix(w, "legs ") || strings.HasPrefix(w, "failed attempts ") {
			early = append(early, w)
		}
	}
	for range 2 {
		x.shows(legs, "cdr_call_legs_total")
		shown := summarize(x.scrape())
		for _, w := range early {
			if !slices.Contains(shown, w) {
				t.Errorf("%s isn't shown with its leg: %q", w, shown)
			}
		}
		x.kill()
		x = run()
	}
	eventually(t, "count every call", func() error {
		if got := summarize(x.scrape()); !slices.Equal(got, want) {
			return fmt.Errorf("counted\n\t%q, want\n\t%q", got, want)
		}
		return nil
	})
	x.stop()
	start(t, p.vault, launch{args: []string{"ledger", "verify", "--config.file=" + config}}).exited(0)
}

// want is what is counted of all copies, as summarize says it.
func (c *legsCase) want() (all []string) {
	number := regexp.MustCompile(`[0-9.]+`)
	for _, w := range c.Want {
		kind, rest, _ := strings.Cut(w, " ")
		switch kind {
		case "talk", "connected", "legs":
			w = kind + " " + number.ReplaceAllStringFunc(rest, func(n string) string {
				v, _ := strconv.ParseFloat(n, 64)
				return strconv.FormatFloat(v*copies, 'g', 6, 64)
			})
		case "failed":
			at := strings.LastIndex(w, " ")
			v, _ := strconv.Atoi(w[at+1:])
			w = w[:at+1] + strconv.Itoa(v*copies)
		default:
			w = fmt.Sprint(w, " ", copies)
		}
		all = append(all, w)
	}
	slices.Sort(all)
	return all
}

// summarize says what was counted.
func summarize(m families) (all []string) {
	calls := map[string]float64{}
	for _, s := range m.series("cdr_calls_total") {
		l := labelsOf(s)
		calls[strings.TrimSpace(l["direction"]+" "+l["outcome"]+" "+l["trunk"])] += value(s)
	}
	for call, n := range calls {
		if n > 0 {
			all = append(all, fmt.Sprint(call, " ", n))
		}
	}
	var talked uint64
	var talk float64
	for _, s := range m.series("cdr_call_duration_seconds") {
		talked, talk = talked+s.GetHistogram().GetSampleCount(), talk+s.GetHistogram().GetSampleSum()
	}
	all = append(all, fmt.Sprintf("talk %.6g in %d", talk, talked),
		fmt.Sprintf("connected %.6g", m.sum("cdr_call_connected_seconds_total")),
		fmt.Sprintf("legs %g", m.sum("cdr_call_legs_total")))
	for _, s := range m.series("cdr_recent_faults") {
		if n := value(s); n > 0 {
			all = append(all, fmt.Sprintf("failed attempts %s %g", labelsOf(s)["trunk"], n))
		}
	}
	for _, metric := range []string{
		"cdr_call_outcome_changes_total", "cdr_call_failures_total",
		"cdr_exporter_calls_incomplete_total",
	} {
		if n := m.sum(metric); n > 0 {
			all = append(all, fmt.Sprint(metric, " ", n))
		}
	}
	slices.Sort(all)
	return all
}

// rowProvider has rows that a test publishes: in files or in a database.
type rowProvider struct {
	*site
	*legsCase
	began time.Time
	files int
}

var relative = regexp.MustCompile(`\{\{(-\d+):(\w+)\}\}`)

// rows are the rows of all copies.
func (p *rowProvider) rows() (all []string) {
	for n := range copies {
		for line := range strings.Lines(p.Rows) {
			line = strings.ReplaceAll(strings.TrimSpace(line), "{n}", strconv.Itoa(n))
			all = append(all, relative.ReplaceAllStringFunc(line, func(text string) string {
				m := relative.FindStringSubmatch(text)
				seconds, _ := strconv.Atoi(m[1])
				at := p.began.Add(time.Duration(seconds) * time.Second).UTC().Truncate(time.Second)
				if m[2] == "s" {
					return strconv.FormatInt(at.Unix(), 10)
				}
				return at.Format(time.DateTime)
			}))
		}
	}
	return all
}

// publish lets the provider have these rows from now on.
func (p *rowProvider) publish(rows []string) {
	p.t.Helper()
	for _, row := range rows {
		switch p.Way {
		case "lines":
			f, err := os.OpenFile(p.path("rows"), os.O_APPEND|os.O_WRONLY, 0o600)
			require.NoError(p.t, err)
			if _, err := f.WriteString(row + "\n"); err != nil {
				p.t.Fatal(err)
			}
			f.Close() //nolint:errcheck // it was written
		case "files":
			p.files++
			p.write("row", p.Header+row+"\n")
			old := time.Now().Add(-time.Minute)
			if err := errors.Join(os.Chtimes(p.path("row"), old, old),
				os.Rename(p.path("row"), p.path(fmt.Sprintf("in/cdr_%d", p.files)))); err != nil {
				p.t.Fatal(err)
			}
		case "sqlite":
			p.execute(row)
		}
	}
}

func (p *rowProvider) execute(statements string) {
	p.t.Helper()
	db, err := sql.Open("sqlite", p.path("rows.db"))
	require.NoError(p.t, err)
	_, err = db.ExecContext(p.t.Context(), "PRAGMA busy_timeout = 10000; "+statements)
	require.NoError(p.t, errors.Join(err, db.Close()))
}
