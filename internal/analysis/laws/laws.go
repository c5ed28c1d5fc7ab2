package laws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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

func (v Verdict) held(format string, args ...any) Verdict {
	v.State, v.Detail = Held, fmt.Sprintf(format, args...)
	return v
}

func (v Verdict) broken(format string, args ...any) Verdict {
	v.State, v.Detail = Broken, fmt.Sprintf(format, args...)
	return v
}

func (v Verdict) unjudged(why string) Verdict {
	v.State, v.Detail = NotJudged, why
	return v
}

// ErrNoTests is a definition without anything to test it with.
var ErrNoTests = errors.New("the definition has no tests, and no rows were given: add `tests:` with rows and " +
	"answers of the provider, or name a file of saved rows")

// atOnce is how many scripts are played at a time. Most of them wait for the disk, or before they ask again.
const atOnce = 12

// Run plays all laws on all feeds of a definition. An error means that it can't be run.
func Run(ctx context.Context, s Settings) (all []Verdict, err error) {
	if s.Definition.Tests == nil && len(s.Rows) == 0 {
		return nil, ErrNoTests
	}
	if s.DSN != "" && s.Definition.SQL == nil {
		return nil, errors.New("--dsn: the definition doesn't read a database; leave it out")
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
		var saved []byte
		if name == s.Feed || len(names) == 1 {
			saved = s.Rows
		}
		for _, v := range s.variants(name) {
			verdicts, err := s.judge(ctx, v, name, folder, saved)
			if err != nil {
				return nil, fmt.Errorf("feed %s: %w", name, err)
			}
			all = append(all, verdicts...)
		}
		if s.plays("answers") {
			all = append(all, s.unanswered(name)...)
		}
	}
	return all, nil
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
			all = append(all, Verdict{Feed: feed + " " + format, Law: "answers"}.unjudged(
				"no answers of this list; give them under `also`, with `parameters: {format: "+format+"}`"))
		}
	}
	return all
}

// plays says whether the settings ask for a law.
func (s *Settings) plays(law string) bool { return len(s.Laws) == 0 || slices.Contains(s.Laws, law) }

// variant is a source that reads a feed, by its tests with their parameters, and the laws that are played for it.
type variant struct {
	name  string // behind the feed's name; empty: the first one
	tests *declared.Tests
	laws  []string // nil: all
}

// variants are the source of the tests, the sources with other parameters, and one for each further list of the feed.
func (s *Settings) variants(feed string) []variant {
	tests := cmp.Or(s.Definition.Tests, new(declared.Tests))
	all := []variant{{tests: tests}}
	with := func(name string, t declared.Tests, given map[string]language.Texts, laws []string) {
		t.By, t.Parameters = cmp.Or(t.By, tests.By), maps.Clone(tests.Parameters)
		if t.Parameters == nil {
			t.Parameters = make(map[string]language.Texts)
		}
		maps.Copy(t.Parameters, given)
		all = append(all, variant{name, &t, laws})
	}
	for i, also := range tests.Also { // they are only compared with what the feed asks and with what its rows become
		with(fmt.Sprintf(" also[%d]", i), also, also.Parameters, []string{"rows", "answers"})
	}
	for _, format := range slices.Sorted(maps.Keys(s.Definition.Feeds[feed].Exports)) {
		with(" "+format, *tests, map[string]language.Texts{web.FormatKey: {format}}, ofCounting())
	}
	return all
}

// judge plays the laws that the settings ask for on a feed.
func (s *Settings) judge(
	ctx context.Context, v variant, name, folder string, saved []byte,
) (all []Verdict, err error) {
	if v.name != "" {
		saved = nil
	}
	b, err := newBench(s, v.tests, name, folder, saved)
	if err != nil {
		return nil, err
	}
	b.judges = func(law string) bool { return (v.laws == nil || slices.Contains(v.laws, law)) && s.plays(law) }
	for _, verdict := range b.judge(ctx) {
		if v.name == "" || verdict.State != NotJudged {
			verdict.Feed = name + v.name
			all = append(all, verdict)
		}
	}
	return all, nil
}

// judge plays all laws. Tests may give a reason why a provider can't keep one.
func (b *bench) judge(ctx context.Context) []Verdict {
	verdicts := b.judgeAll(ctx)
	for i, v := range verdicts {
		if reason := b.tests.Bypass[v.Law]; reason != "" && v.State != Held {
			verdicts[i].State, verdicts[i].Detail = Bypassed, reason
		}
	}
	return verdicts
}

func (b *bench) judgeAll(ctx context.Context) (verdicts []Verdict) {
	if b.judges("rows") {
		verdicts = append(verdicts, b.judgeRows())
	}
	if b.judges("answers") {
		verdicts = append(verdicts, b.judgeAnswers())
	}
	if b.judges("limits") {
		verdicts = append(verdicts, b.judgeLimits())
	}
	switch {
	case !slices.ContainsFunc(ofCounting(), b.judges):
		return verdicts
	case b.info.ActiveCalls != nil:
		return append(verdicts, b.judgeSnapshot())
	}
	plain, v := b.judgePlain()
	if verdicts = append(verdicts, v); v.State != Held {
		return verdicts
	}
	verdicts = append(verdicts, b.judgeLaws(ctx, plain)...)
	if b.judges("secret") {
		verdicts = append(verdicts, b.judgeSecret(plain))
	}
	return verdicts
}

// ofCounting are the laws that play scripts. The others compare the definition with its tests.
func ofCounting() []string {
	names := []string{"plain", "secret"}
	for i := range all {
		names = append(names, all[i].name)
	}
	return names
}

// judgeLaws plays the scripts of the laws that the settings ask for.
func (b *bench) judgeLaws(ctx context.Context, plain *played) (verdicts []Verdict) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	var ends []func() Verdict
	for i := range all {
		l, v := &all[i], Verdict{Feed: b.name, Law: all[i].name}
		if !b.judges(l.name) {
			continue
		}
		scripts, why := l.scripts(b, plain)
		problems := make([]string, len(scripts))
		for j, s := range scripts {
			group.Go(func() error {
				problems[j] = b.judgeScript(ctx, l, s, plain)
				return nil
			})
		}
		ends = append(ends, func() Verdict {
			if why != "" {
				return v.unjudged(why)
			}
			if v = v.of(b, scripts, problems); v.State == Held && l.remark != nil {
				v.Detail += l.remark(b)
			}
			return v
		})
	}
	_ = group.Wait() // problems say it
	for _, end := range ends {
		verdicts = append(verdicts, end())
	}
	return verdicts
}

// judgeScript says how a script broke a law; empty: it didn't.
func (b *bench) judgeScript(ctx context.Context, l *law, s script, plain *played) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	out, err := b.play(s)
	switch {
	case err != nil:
		return err.Error()
	case s.judge != nil:
		return s.judge(b, plain, &out)
	case l.judge != nil:
		return l.judge(b, plain, &out)
	}
	return out.different(plain.result)
}

// of is the verdict on a law by the problems of its scripts. It names the smallest script that broke it.
func (v Verdict) of(b *bench, scripts []script, problems []string) Verdict {
	broken, smallest := 0, -1
	for i, problem := range problems {
		if problem != "" {
			if broken++; smallest < 0 || scripts[i].size(b) < scripts[smallest].size(b) {
				smallest = i
			}
		}
	}
	if broken > 0 {
		return v.broken("%s: %s (%d of %d scripts)", scripts[smallest].name, problems[smallest], broken, len(scripts))
	}
	return v.held("%d scripts", len(scripts))
}

// size is how many rows a script has.
func (s *script) size(b *bench) (n int) {
	for _, step := range s.steps {
		n = max(n, len(step.rows))
	}
	if s.steps == nil {
		n = len(b.base)
	}
	return n
}

// judgePlain plays the plain script, and compares what was counted of all rows at once with what they are.
func (b *bench) judgePlain() (*played, Verdict) {
	v := Verdict{Feed: b.name, Law: "plain"}
	if len(b.base) == 0 {
		return nil, v.unjudged("no rows")
	}
	plain, err := b.play(script{name: plainScript})
	if err != nil {
		return nil, v.broken("%s", err)
	}
	keys, visits := make(map[string]bool), 0.0
	for _, r := range b.base {
		if !r.counts() {
			continue
		}
		if visits += float64(len(r.mapped.Record.Visits)); !r.mapped.Record.NoCall {
			keys[b.callOf(r)] = true
		}
	}
	calls := float64(len(keys))
	if b.read != nil {
		calls, visits = callsOf(b.read.Records) // an open row stays in the tables, and counts in the end
	}
	problem := plain.trouble
	if problem == "" || len(plain.wrong) > 0 {
		problem = plain.miscounts(calls, visits)
	}
	if problem != "" {
		return nil, v.broken("%s: %s", plainScript, problem)
	}
	return &plain, v.held("%d rows are %v calls and %v visits", len(b.base), calls, visits)
}

// callOf names the call of a row. A row that names no other is a call by itself.
func (b *bench) callOf(r *row) string {
	return cmp.Or(callOf(r.mapped.Record, func(yield func(*cdr.Record) bool) {
		for _, other := range b.base {
			if other.mapped.Record != nil && !yield(other.mapped.Record) {
				return
			}
		}
	}), "row "+r.key)
}

// callOf names the call of a record among all: by its group, or by the topmost record that it leads to by `parent`. If
// one record of a group has a parent, so have the others. The name is empty if the record names no other.
func callOf(r *cdr.Record, all iter.Seq[*cdr.Record]) (name string) {
	const longest = 32 // records may name each other in a circle
	for depth := 0; r != nil && depth < longest; depth++ {
		parent := r.Parent
		if r.CallKey != "" {
			name = "group " + r.CallKey
			for other := range all {
				if parent == "" && other.CallKey == r.CallKey {
					parent = other.Parent
				}
			}
		}
		if parent == "" {
			return name
		}
		name, r = "row "+parent, nil
		for other := range all {
			if other.ID == parent {
				r = other
			}
		}
	}
	return name
}

// judgeSnapshot compares the calls in progress with the rows.
func (b *bench) judgeSnapshot() Verdict {
	v, want := Verdict{Feed: b.name, Law: "plain"}, make(map[string]int)
	if len(b.base) == 0 {
		return v.unjudged("no rows")
	}
	for _, r := range b.base {
		if r.counts() {
			want[r.mapped.Record.Direction.String()]++
		}
	}
	out, err := b.play(script{name: plainScript})
	switch {
	case err != nil:
		return v.broken("%s", err)
	case !maps.Equal(out.active, want):
		return v.broken("the calls in progress are %v, want %v", out.active, want)
	}
	return v.held("%d calls in progress", len(b.base))
}

// sameCalls wants as many calls and visits as of the plain script.
func sameCalls(_ *bench, plain, out *played) string {
	return out.miscounts(plain.sum("cdr_calls_total"), plain.sum("cdr_queue_calls_total"))
}

// miscounts says how other calls and visits were counted than there are; empty: they weren't.
func (out *played) miscounts(calls, visits float64) string {
	if len(out.wrong) > 0 {
		return out.wrong[0]
	}
	got, queued := out.sum("cdr_calls_total"), out.sum("cdr_queue_calls_total")
	if got == calls && queued == visits {
		return ""
	}
	text := fmt.Sprintf("%v calls and %v visits were counted, want %v and %v", got, queued, calls, visits)
	if out.trouble != "" {
		text += "; " + out.trouble
	}
	return text
}

// judgeSecret looks for secrets and numbers in all that was written.
func (b *bench) judgeSecret(plain *played) Verdict {
	v := Verdict{Feed: b.name, Law: "secret"}
	written := b.output.text.String()
	var series strings.Builder
	for key := range plain.result {
		series.WriteString(key + "\n")
	}
	written += series.String()
	for name, secret := range b.secrets {
		if strings.Contains(written, secret) {
			return v.broken("the secret %s is in what the exporter wrote", name)
		}
	}
	for _, made := range []string{accessToken, nextRefreshToken} {
		if strings.Contains(written, made) {
			return v.broken("a token that the provider gave is in what the exporter wrote")
		}
	}
	for _, r := range b.rows {
		if r.mapped.Record == nil {
			continue
		}
		for _, number := range []string{r.mapped.Record.CallerNumber, r.mapped.Record.CalleeNumber} {
			if len(number) > 6 && strings.Contains(written, number) {
				return v.broken("a number of %s is in what the exporter wrote", r.name)
			}
		}
	}
	return v.held("%d secrets, %d bytes written", len(b.secrets), len(written))
}
