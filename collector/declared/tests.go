package declared

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Tests are the provider's side, from its pages or from saved answers: what `provider test`
// compares the rest of the definition with.
type Tests struct {
	// Parameters are values for the test's source. A secret that isn't here is made up.
	Parameters map[string]language.Texts `yaml:"parameters"`
	// By is the time that the provider's filter means, where it is known: start, end or inserted.
	By string `yaml:"by"`
	// The provider's limits; zero if they aren't known.
	MaxRange  time.Duration `yaml:"max_range"` // the longest range that it answers
	Retention time.Duration `yaml:"retention"` // how long it keeps rows
	MinAge    time.Duration `yaml:"min_age"`   // how old a row is before it is listed
	MaxRows   int           `yaml:"max_rows"`  // how many rows of a span it gives
	Delay     time.Duration `yaml:"delay"`     // how late a row comes or changes
	Apart     time.Duration `yaml:"apart"`     // how far apart the rows of a call come
	// Read is how files are written: lines or whole.
	Read string `yaml:"read"`
	// Field is the field of a form in which a record is posted; empty: the body is the record.
	Field   string            `yaml:"field"`
	Answers []TestAnswer      `yaml:"answers"`
	Rows    []TestRow         `yaml:"rows"`
	Tables  string            `yaml:"tables"`
	Bypass  map[string]string `yaml:"bypass"`
	// Also are answers and rows of sources with other parameters.
	Also []Tests `yaml:"also"`
}

// TestAnswer is one whole answer of the provider.
type TestAnswer struct {
	// Feed may be left out if the definition has one.
	Feed string `yaml:"feed"`
	// Span is what was wanted, as FROM/TO. An answer without one follows the answer before it.
	Span testSpan `yaml:"span"`
	// Request is METHOD and address, With some of its headers, and Sends the body of a POST.
	Request string            `yaml:"request"`
	With    map[string]string `yaml:"with"`
	Sends   Document          `yaml:"sends"`
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"`
	Body    Document          `yaml:"body"`
	// Total is the provider's count of rows in the body, and Charges the sum of a day, as AMOUNT CURRENCY.
	Total   string `yaml:"total"`
	Charges string `yaml:"charges"`
}

// TestRow is a row, and every field that it becomes. But are rows with some other values.
type TestRow struct {
	Feed    string            `yaml:"feed"`
	For     map[string]string `yaml:"for"`
	Row     Document          `yaml:"row"`
	Becomes Becomes           `yaml:"becomes"`
	But     []TestRow         `yaml:"but"`
}

// Becomes is what tests say of a row: fields by their names in a definition, or one word: ignored, invalid or open (not
// final).
type Becomes struct {
	Word   string
	Fields map[string]string
}

// DecodeNode implements config.NodeDecoder.
func (b *Becomes) DecodeNode(n *config.Node) {
	if n.IsText() {
		b.Word = n.Text()
		n.Report().OneOf("", b.Word, "ignored", "invalid", "open")
		return
	}
	b.Fields = make(map[string]string)
	for _, f := range n.Fields() {
		var several language.Texts
		if !f.Value.IsNull() {
			f.Value.Decode(&several)
		}
		b.Fields[f.Key] = strings.Join(several, ", ")
	}
}

// Document is a value of a definition, as JSON or, if it is a text there, as that text.
type Document string

// DecodeNode implements config.NodeDecoder.
func (d *Document) DecodeNode(n *config.Node) {
	if n.IsText() && !n.IsPlain() {
		*d = Document(n.Text())
		return
	}
	text, _ := json.Marshal(web.ValueOf(n), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	*d = Document(text)
}

// testSpan is FROM/TO in RFC 3339.
type testSpan struct{ From, To time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *testSpan) UnmarshalText(text []byte) (err error) {
	from, to, _ := strings.Cut(string(text), "/")
	if s.From, err = time.Parse(time.RFC3339, from); err == nil {
		s.To, err = time.Parse(time.RFC3339, to)
	}
	if err != nil || !s.From.Before(s.To) {
		return fmt.Errorf("must be FROM/TO, such as 2026-11-23T00:00:00Z/2026-11-24T00:00:00Z")
	}
	return nil
}

// Validate implements config.Validator.
func (t *Tests) Validate(r *config.Report) {
	r.OneOf("by", t.By, "", web.ByStart, web.ByEnd, web.ByInserted)
	r.OneOf("read", t.Read, "", files.ReadLines, files.ReadWhole)
	for i, a := range t.Answers {
		if method, _, both := strings.Cut(a.Request, " "); !both || method != "GET" && method != "POST" {
			r.Problemf(fmt.Sprintf("answers[%d].request", i),
				"must be a method and an address, such as GET /v1/calls?page=1")
		}
	}
}

// validateTests reports tests of feeds that the definition lacks.
func (d *Definition) validateTests(r *config.Report) {
	if d.Tests == nil {
		return
	}
	names := strings.Join(slices.Sorted(maps.Keys(d.Feeds)), ", ")
	check := func(key, feed string) {
		if _, is := d.Feeds[feed]; !is && (feed != "" || len(d.Feeds) > 1) {
			r.Problemf(key, "must name its feed, one of %s", names)
		}
	}
	all := map[string]*Tests{"tests": d.Tests}
	for i := range d.Tests.Also {
		all[fmt.Sprintf("tests.also[%d]", i)] = &d.Tests.Also[i]
	}
	for key, t := range all {
		for i := range t.Answers {
			check(fmt.Sprintf("%s.answers[%d].feed", key, i), t.Answers[i].Feed)
		}
		for i := range t.Rows {
			check(fmt.Sprintf("%s.rows[%d].feed", key, i), t.Rows[i].Feed)
		}
	}
}

// ParametersFor are the parameters that a feed's texts may name, and their defaults.
func (d *Definition) ParametersFor(f *Feed) (all map[string]Parameter, defaults map[string][]string) {
	all, defaults = d.parametersOf(f), make(map[string][]string)
	for key, p := range all {
		if p.Default != nil {
			defaults[key] = p.defaults()
		}
	}
	return all, defaults
}

// Each gives the mapper the values of the feed's `for` of the rows to come.
func (m *Mapper) Each(values map[string]string) { m.row.Each = values }

// Names gives the mapper the names for ids of the feed's lists, by list.
func (m *Mapper) Names(lists map[string]map[string]string) { m.row.Names = lists }

// Unlimited has the definition's requests sent without waiting, since the tests' time is made up.
func (d *Definition) Unlimited() {
	if d.HTTP == nil {
		return
	}
	d.HTTP.RequestsPerMinute = 0
	if d.HTTP.Limit = nil; d.HTTP.Auth.OAuth2 != nil {
		d.HTTP.Auth.OAuth2.Limit = nil
	}
	for _, f := range d.Feeds {
		for _, l := range f.Names {
			l.Limit = nil
		}
	}
}

// Lines says how the feed's rows stand in files; nil: it isn't read from files.
func (f *Feed) Lines() *files.Config { return f.files }
