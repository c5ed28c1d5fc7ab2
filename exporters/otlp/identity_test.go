package otlp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestTraceID(t *testing.T) {
	hashed := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:16])
	}
	tests := []struct{ name, call, record, want string }{
		{"a UUID", "c98e1515-a937-4b81-b8a8-3992afde64e0", "r", "c98e1515a9374b81b8a83992afde64e0"},
		{"a UUID in capitals", "C98E1515-A937-4B81-B8A8-3992AFDE64E0", "r", "c98e1515a9374b81b8a83992afde64e0"},
		{"another id", "s-4711", "r", hashed("msgraphs-4711")},
		{
			"nearly a UUID", "c98e1515-a937-4b81-b8a8-3992afde64eg", "r",
			hashed("msgraphc98e1515-a937-4b81-b8a8-3992afde64eg"),
		},
		{"no call id", "", "r-17", hashed("msgraphr-17")},
		{
			"no call id, but a record id that is a UUID", "", "9e8bba57-dc14-533a-a7dd-f0da6575eed1",
			"9e8bba57dc14533aa7ddf0da6575eed1",
		},
		{"the id of no call", "00000000-0000-0000-0000-000000000000", "r-17", hashed("msgraphr-17")},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := (&counting.Event{Provider: "msgraph", RecordID: tc.record}).TraceID(tc.call)
			if hex.EncodeToString(got[:]) != tc.want {
				t.Errorf("trace id %x, want %s", got, tc.want)
			}
		})
	}
}

// TestRecordUID pins the construction (counting.md 27): stored batches and
// receivers rely on it.
func TestRecordUID(t *testing.T) {
	event := counting.Event{Source: "contoso", Feed: "pstn", Name: "cdr.call", RecordID: "r1", Version: 1}
	sum := sha256.Sum256([]byte("\x07contoso\x04pstn\x08cdr.call\x02r1\x00\x02"))
	got := event.UID("")
	if want := hex.EncodeToString(sum[:16]); string(got[:]) != want {
		t.Errorf("uid %s, want %s", got, want)
	}
	if again := event.UID(""); again != got {
		t.Error("the uid differs on a second try")
	}
	seen := map[[32]byte]string{got: "itself"}
	for name, change := range map[string]func(*counting.Event) string{
		"source":         func(e *counting.Event) string { e.Source = "other"; return "" },
		"feed":           func(e *counting.Event) string { e.Feed = "call_log"; return "" },
		"event name":     func(e *counting.Event) string { e.Name = "cdr.call.revised"; return "" },
		"record id":      func(e *counting.Event) string { e.RecordID = "r2"; return "" },
		"version":        func(e *counting.Event) string { e.Version = 2; return "" },
		"session":        func(*counting.Event) string { return "s" },
		"a moved border": func(e *counting.Event) string { e.Source, e.Feed = "contosop", "stn"; return "" },
	} {
		changed := event
		session := change(&changed)
		id := changed.UID(session)
		if same, twice := seen[id]; twice {
			t.Errorf("%s gives the uid of %s", name, same)
		}
		seen[id] = name
	}
}

// TestLabelsAreAttributes: a record's log record has the value of each label under the attribute in
// the table of docs/otlp.md, so that a drill-down finds it.
func TestLabelsAreAttributes(t *testing.T) {
	failed := fullRecord(t)
	failed.Outcome, failed.SIPCode, failed.SubCode, failed.Reason = cdr.Failed, cdr.KnownInt(503), cdr.KnownInt(569008),
		"certificate_expired"
	failed.FaultDomain, failed.Charges = cdr.FaultSBC, failed.Charges[:1]
	checked := make(map[string]bool)
	check := func(name string, r *cdr.Record, event *counting.Event, all []facts.Fact) {
		record := encode(t, r, event)
		expect := func(d *metrics.Def, label, want string) {
			key := metrics.LogAttribute(d, label)
			if got := valueText(attributeOf(record, key)); key != "" && got != want {
				t.Errorf("%s: the label %s is %q, the attribute %s is %q", name, label, want, key, got)
			}
			checked[key] = true
		}
		expect(metrics.Calls, "source", event.Source)
		expect(metrics.Calls, "provider", event.Provider)
		expect(metrics.Calls, "feed", event.Feed)
		for i := range all {
			for _, delta := range metrics.Count(nil, &all[i]) {
				for j, label := range delta.Def.Labels {
					if all[i].Kind != facts.Leg { // a Leg's outcome is the leg's, not the call's
						expect(delta.Def, label.Name, delta.LabelValues()[j])
					}
				}
			}
		}
	}
	for name, r := range map[string]*cdr.Record{"answered": fullRecord(t), "failed": failed, "bare": bareRecord()} {
		check(name, r, fullEvent(), facts.AppendRecord(nil, r, facts.Context{}))
	}
	session := fullSession()
	check("session", fullRecord(t), session, []facts.Fact{{
		Kind:   facts.Session,
		Record: &cdr.Record{Sessions: []cdr.Session{*session.Session}},
	}})
	visit := fullVisit()
	check("visit", fullRecord(t), visit, []facts.Fact{{
		Kind:   facts.Visit,
		Record: &cdr.Record{Visits: []cdr.Visit{*visit.Visit}},
	}})
	for _, d := range metrics.Catalogue() {
		for _, label := range d.LabelNames() {
			if key := metrics.LogAttribute(d, label); key != "" && !checked[key] {
				t.Errorf("no record here shows that %s is the label %s", key, label)
			}
		}
	}
}

var dotted = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`)

// keysInSource are the keys that the encoder names: the texts with dots in its source.
func keysInSource(t *testing.T) (keys []string) {
	t.Helper()
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if key, err := strconv.Unquote(text.Value); err == nil && dotted.MatchString(key) {
					keys = append(keys, key)
				}
			}
			return true
		})
	}
	return keys
}

// TestNoKeyIsANamespace: no name of an attribute or a metric is the beginning of another's, since
// stores that make objects of dots (Elasticsearch) can't keep both. Keys of the providers' own
// fields are below their provider; TestFairWeather sees them all.
func TestNoKeyIsANamespace(t *testing.T) {
	names := keysInSource(t)
	if len(names) < 40 {
		t.Fatalf("only %d keys were found: %v", len(names), names)
	}
	for _, d := range slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()) {
		names = append(names, d.OTel)
	}
	for _, provider := range []string{"msgraph", "ringcentral", "wavix"} {
		names = append(names, fmt.Sprintf("cdr.%s.any", provider))
	}
	for _, name := range names {
		for i, c := range name {
			if c == '.' && slices.Contains(names, name[:i]) {
				t.Errorf("%s is a name and the namespace of %s: write _ in place of that dot", name[:i], name)
			}
		}
	}
}

// TestEveryFieldIsAnAttribute: the log record of a call has the fields of its record, and docs/otlp.md lists them.
func TestEveryFieldIsAnAttribute(t *testing.T) {
	attributes := func(r *cdr.Record) string { return string(appendAttributes(nil, r, fullEvent())) }
	page := golden.Read(t, filepath.Join("..", "..", "docs", "otlp.md"))
	cdrtest.EveryField(t, "appendAttributes in exporters/otlp/attributes.go", map[string]string{
		"the event says which record and version it is": "ID AltIDs Synthetic Twin Version",
		"such a record has no log record of a call":     "Provisional NoCall",
		"makes calls of legs": "CallKey Parent Whole Party NoOutcome Channel Ringing " +
			"ListsLegs Second",
		"is for metrics":             "Talk Connected Streams Ratings Settled",
		"has log records of its own": "Visits Sessions Legs",
		"only labels are made of it": "Class NoClass ProviderLabels",
		"is for explain":             "Origins",
	}, func(set cdrtest.SetField) bool {
		r := cdrtest.Call("a")
		set(r, 1)
		for _, kv := range encode(t, r, fullEvent()).GetAttributes() {
			if key := kv.GetKey(); !strings.Contains(page, "`"+key+"`") && !strings.HasPrefix(key, "cdr.msgraph.") &&
				!strings.HasPrefix(key, "cdr.label.") {
				t.Errorf("docs/otlp.md doesn't list %s", key)
			}
		}
		return cdrtest.Shows(attributes)(set) || cdrtest.Shows(attributes, cdrtest.Outcome(cdr.Failed))(set)
	})
}
