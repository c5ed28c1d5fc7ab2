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

	"golang.org/x/sync/errgroup"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// Settings are what Run needs.
type Settings struct {
	Definition *declared.Definition
	// Rows are saved rows of Feed, beside those of the definition's tests. Feed may be empty if there is one.
	Rows []byte
	Feed string
	// Set are parameters in place of those of tests.
	Set map[string]any
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

// Verdict is what became of one law of a feed.
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
		b, err := newBench(s.Definition, name, folder, saved, s.Set)
		if err != nil {
			return nil, fmt.Errorf("feed %s: %w", name, err)
		}
		b.laws = s.Laws
		all = append(all, b.judge(ctx)...)
	}
	return all, nil
}

// judge plays all laws.
func (b *bench) judge(ctx context.Context) (verdicts []Verdict) {
	if b.judges("rows") {
		verdicts = append(verdicts, b.judgeRows())
	}
	if b.judges("answers") {
		verdicts = append(verdicts, b.judgeAnswers())
	}
	if len(b.laws) > 0 && !slices.ContainsFunc(b.laws,
		func(name string) bool { return name != "rows" && name != "answers" }) {
		return b.bypass(verdicts)
	}
	if b.info.ActiveCalls != nil {
		return b.bypass(append(verdicts, b.judgeSnapshot()))
	}
	plain, err := b.play(script{name: plainScript})
	v := Verdict{Feed: b.name, Law: "plain"}
	problem := ""
	if err == nil {
		problem = b.judgePlain(&plain)
	}
	switch {
	case len(b.base) == 0:
		return b.bypass(append(verdicts, v.unjudged("no rows")))
	case err != nil:
		return b.bypass(append(verdicts, v.broken("%s", err)))
	case problem != "":
		return b.bypass(append(verdicts, v.broken("%s: %s", plainScript, problem)))
	}
	verdicts = append(verdicts, v.held("%d rows are %v calls and %v visits", len(b.base), plain.sum("cdr_calls_total"),
		plain.sum("cdr_queue_calls_total")))
	wanted := slices.DeleteFunc(slices.Clone(all), func(l law) bool { return !b.judges(l.name) })
	judged := make([]Verdict, len(wanted))
	group, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, atOnce)
	for i := range wanted {
		group.Go(func() error {
			judged[i] = b.judgeLaw(ctx, &wanted[i], &plain, slots)
			return nil
		})
	}
	_ = group.Wait() // a law that fails is broken
	verdicts = append(verdicts, judged...)
	if b.judges("secret") {
		verdicts = append(verdicts, b.judgeSecret(&plain))
	}
	return b.bypass(verdicts)
}

// judges says whether a law is asked for.
func (b *bench) judges(name string) bool { return len(b.laws) == 0 || slices.Contains(b.laws, name) }

// bypass marks the laws that tests give a reason for.
func (b *bench) bypass(all []Verdict) []Verdict {
	for i := range all {
		if reason := b.tests.Bypass[all[i].Law]; reason != "" && all[i].State != Held {
			all[i].State, all[i].Detail = Bypassed, reason
		}
	}
	return all
}

// judgeLaw plays the scripts of a law.
func (b *bench) judgeLaw(ctx context.Context, l *law, plain *played, slots chan struct{}) Verdict {
	v := Verdict{Feed: b.name, Law: l.name}
	scripts, why := l.scripts(b, plain)
	if why != "" {
		return v.unjudged(why)
	}
	problems := make([]string, len(scripts))
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range scripts {
		group.Go(func() error {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				problems[i] = "interrupted"
				return nil
			}
			out, err := b.play(s)
			switch {
			case err != nil:
				problems[i] = err.Error()
			case l.judge != nil:
				problems[i] = l.judge(b, plain, &out)
			default:
				problems[i] = out.different(plain.result)
			}
			return nil
		})
	}
	_ = group.Wait() // problems say it
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

// judgePlain compares what was counted of all rows at once with what they are.
func (b *bench) judgePlain(plain *played) string {
	if len(plain.wrong) > 0 {
		return plain.wrong[0]
	}
	if plain.trouble != "" {
		return plain.trouble
	}
	keys, visits := make(map[string]bool), 0
	for _, r := range b.base {
		if r.counts() {
			visits += len(r.mapped.Record.Visits)
			if !r.mapped.Record.NoCall {
				keys[b.callOf(r)] = true
			}
		}
	}
	if b.read != nil {
		for _, r := range b.read.Records {
			visits += len(r.Visits)
			if !r.NoCall && !r.Provisional {
				keys[cmp.Or(r.CallKey, r.Parent, r.ID)] = true
			}
		}
	}
	calls, queued := plain.sum("cdr_calls_total"), plain.sum("cdr_queue_calls_total")
	if calls != float64(len(keys)) || queued != float64(visits) {
		return fmt.Sprintf("%v calls and %v visits to queues were counted, want %d and %d", calls, queued, len(keys),
			visits)
	}
	return ""
}

// callOf names the call of a row: by its group, or by the topmost row that it leads to by `parent`.
func (b *bench) callOf(r *row) string {
	for range b.base {
		record := r.mapped.Record
		if record.CallKey != "" {
			return "group " + record.CallKey
		}
		i := slices.IndexFunc(b.base, func(other *row) bool {
			return other != r && other.mapped.Record != nil && record.Parent != "" &&
				other.mapped.Record.ID == record.Parent
		})
		if i < 0 {
			if record.Parent != "" {
				return "row " + record.Parent
			}
			break
		}
		r = b.base[i]
	}
	return "row " + r.key
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
	if len(out.wrong) > 0 {
		return out.wrong[0]
	}
	for _, metric := range []string{"cdr_calls_total", "cdr_queue_calls_total"} {
		if got, want := out.sum(metric), plain.sum(metric); got != want {
			return fmt.Sprintf("%s is %v, want %v; %s", metric, got, want, out.trouble)
		}
	}
	return ""
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
