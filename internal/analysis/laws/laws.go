package laws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// Settings are what Run needs.
type Settings struct {
	Definition *declared.Definition
	// Rows are saved rows of Feed, in addition to the definition's tests. Feed may be empty if there is only one.
	Rows []byte
	Feed string
	// Set are parameters that replace those in tests, in the same form.
	Set map[string][]string
	// DSN names a database in which the tables of tests are made, each time in a schema that is dropped
	// afterwards; empty: SQLite.
	DSN string
	// Laws are those to be judged; none: all.
	Laws []string
}

// The states of a law.
const (
	Held      = "held"
	Broken    = "broken"
	NotJudged = "not judged"
	Bypassed  = "bypassed"
)

// Verdict is the result of one law for a feed.
type Verdict struct{ Feed, Law, State, Detail string }

func held(format string, args ...any) Verdict {
	return Verdict{State: Held, Detail: fmt.Sprintf(format, args...)}
}

func broken(format string, args ...any) Verdict {
	return Verdict{State: Broken, Detail: fmt.Sprintf(format, args...)}
}

func unjudged(why string) Verdict { return Verdict{State: NotJudged, Detail: why} }

// ErrNoTests is a definition without anything to test it with.
var ErrNoTests = errors.New("the definition has no tests, and no rows were given: add `tests:` with rows and " +
	"answers of the provider, or name a file of saved rows")

// Run plays all laws on all feeds of a definition. An error means that it can't be run.
func Run(ctx context.Context, s Settings) (verdicts []Verdict, err error) {
	if s.Definition.Tests == nil && len(s.Rows) == 0 {
		return nil, ErrNoTests
	}
	if s.DSN != "" && s.Definition.SQL == nil {
		return nil, errors.New("--dsn: the definition doesn't read a database; leave it out")
	}
	known := namesOf(func(*law) bool { return true })
	for _, name := range s.Laws {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--law: no law is called %s; the laws are %s", name, strings.Join(known, ", "))
		}
	}
	names := slices.Sorted(maps.Keys(s.Definition.Feeds))
	if _, is := s.Definition.Feeds[s.Feed]; !is && (s.Feed != "" || len(s.Rows) > 0 && len(names) > 1) {
		return nil, fmt.Errorf("--feed: give one of the feeds of the definition: %s", strings.Join(names, ", "))
	}
	folder, err := os.MkdirTemp("", "cdr-exporter-test-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	for _, name := range names {
		for _, v := range s.variants(name) {
			b, err := newBench(&s, &v, folder)
			if err != nil {
				return nil, fmt.Errorf("feed %s: %w", name, err)
			}
			for _, verdict := range b.judge(ctx) {
				if verdict.Feed = name + v.name; v.name == "" || verdict.State != NotJudged {
					verdicts = append(verdicts, verdict)
				}
			}
		}
		if s.judges("answers") {
			verdicts = append(verdicts, s.unanswered(name)...)
		}
	}
	return verdicts, nil
}

// judges says whether the settings ask for a law.
func (s *Settings) judges(law string) bool { return len(s.Laws) == 0 || slices.Contains(s.Laws, law) }

// variant is a source that reads a feed, by its tests with their parameters, and the laws that are judged for it.
type variant struct {
	feed  string
	name  string // behind the feed's name; empty: the first one
	tests *declared.Tests
	laws  []string // nil: all
	saved []byte   // further rows
}

// variants are the source of the tests, the sources with other parameters, and one for each further list of the feed.
func (s *Settings) variants(feed string) []variant {
	tests := cmp.Or(s.Definition.Tests, new(declared.Tests))
	first := variant{feed: feed, tests: tests}
	if feed == s.Feed || len(s.Definition.Feeds) == 1 {
		first.saved = s.Rows
	}
	all := []variant{first}
	with := func(name string, t declared.Tests, parameters map[string]language.Texts, laws []string) {
		t.By, t.Parameters = cmp.Or(t.By, tests.By), make(map[string]language.Texts)
		maps.Copy(t.Parameters, tests.Parameters)
		maps.Copy(t.Parameters, parameters)
		all = append(all, variant{feed: feed, name: name, tests: &t, laws: laws})
	}
	for i, also := range tests.Also { // they are only compared with what the feed asks and with what its rows become
		with(fmt.Sprintf(" also[%d]", i), also, also.Parameters, []string{"rows", "answers"})
	}
	for _, format := range slices.Sorted(maps.Keys(s.Definition.Feeds[feed].Exports)) {
		with(" "+format, *tests, map[string]language.Texts{web.FormatKey: {format}}, countingLaws())
	}
	return all
}

// unanswered says for which further lists of a feed the tests don't know what to ask.
func (s *Settings) unanswered(feed string) (all []Verdict) {
	tests := cmp.Or(s.Definition.Tests, new(declared.Tests))
	ofFeed := func(a declared.TestAnswer) bool { return a.Feed == feed || a.Feed == "" }
	for _, format := range slices.Sorted(maps.Keys(s.Definition.Feeds[feed].Exports)) {
		has := func(t declared.Tests) bool {
			chosen := slices.Equal(t.Parameters[web.FormatKey], language.Texts{format})
			return chosen && slices.ContainsFunc(t.Answers, ofFeed)
		}
		if !slices.ContainsFunc(append([]declared.Tests{*tests}, tests.Also...), has) {
			v := unjudged("no answers of this list; give them under `also`, with `parameters: {format: " +
				format + "}`")
			v.Feed, v.Law = feed+" "+format, "answers"
			all = append(all, v)
		}
	}
	return all
}
