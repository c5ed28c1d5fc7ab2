package laws

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// law is a law: it compares the definition with its tests, or plays scripts. The laws plain and secret are judged
// before and after the scripts.
type law struct {
	name    string
	compare func(b *bench) Verdict
	// scripts are those that the law must hold in, or why it can't be judged.
	scripts func(b *bench) (all []script, why string)
}

var all = []law{
	{name: "rows", compare: (*bench).judgeRows},
	{name: "answers", compare: (*bench).judgeAnswers},
	{name: "limits", compare: (*bench).judgeLimits},
	{name: "plain"},
	{name: "once", scripts: (*bench).once},
	{name: "order", scripts: (*bench).order},
	{name: "shifting", scripts: (*bench).shifting},
	{name: "late", scripts: (*bench).late},
	{name: "revised", scripts: (*bench).revised},
	{name: "final", scripts: (*bench).final},
	{name: "edges", scripts: (*bench).edges},
	{name: "unknown", scripts: (*bench).unknown},
	{name: "damaged", scripts: (*bench).damaged},
	{name: "refused", scripts: (*bench).refused},
	{name: "killed", scripts: (*bench).killed},
	{name: "secret"},
}

// namesOf are the names of the laws that a condition holds for.
func namesOf(is func(l *law) bool) (names []string) {
	for i := range all {
		if is(&all[i]) {
			names = append(names, all[i].name)
		}
	}
	return names
}

// countingLaws are those that compare nothing but what is counted.
func countingLaws() []string { return namesOf(func(l *law) bool { return l.compare == nil }) }

// judge judges the laws of the bench. Tests may give a reason why a provider can't keep one.
func (b *bench) judge(ctx context.Context) (verdicts []Verdict) {
	add := func(law string, v Verdict) {
		if reason := b.tests.Bypass[law]; reason != "" && v.State != Held {
			v.State, v.Detail = Bypassed, reason
		}
		v.Law = law
		verdicts = append(verdicts, v)
	}
	for i := range all {
		if l := &all[i]; l.compare != nil && b.judges(l.name) {
			add(l.name, l.compare(b))
		}
	}
	switch {
	case !slices.ContainsFunc(countingLaws(), b.judges):
	case b.info.ActiveCalls != nil:
		add("plain", b.judgeSnapshot())
	default:
		v := b.judgePlain()
		if add("plain", v); v.State != Held {
			break
		}
		b.judgeScripts(ctx, add)
		if b.judges("secret") {
			add("secret", b.judgeSecret())
		}
	}
	return verdicts
}

// judgePlain plays the plain script, and compares what was counted of all rows at once with what they are.
func (b *bench) judgePlain() Verdict {
	if len(b.base) == 0 {
		return unjudged("no rows")
	}
	var err error
	if b.plain, err = b.play(script{name: plainScript}); err != nil {
		return broken("%s", err)
	}
	calls, visits := callsOf(b.records, b.records)
	problem := b.plain.trouble
	if problem == "" || len(b.plain.wrong) > 0 {
		problem = b.plain.miscounts(calls, visits)
	}
	if problem != "" {
		return broken("%s: %s", plainScript, problem)
	}
	return held("%d rows are %v calls and %v visits", len(b.base), calls, visits)
}

// judgeSnapshot compares the calls in progress with the rows.
func (b *bench) judgeSnapshot() Verdict {
	if len(b.base) == 0 {
		return unjudged("no rows")
	}
	want := make(map[string]int)
	for _, record := range b.records {
		want[record.Direction.String()]++
	}
	out, err := b.play(script{name: plainScript})
	switch {
	case err != nil:
		return broken("%s", err)
	case !maps.Equal(out.active, want):
		return broken("the calls in progress are %v, want %v", out.active, want)
	}
	return held("%d calls in progress", len(b.base))
}

// atOnce is how many scripts are played at a time. Most of them wait for the disk, or before they ask again.
const atOnce = 12

// judgeScripts plays the scripts of all laws, and adds the verdict on each.
func (b *bench) judgeScripts(ctx context.Context, add func(law string, v Verdict)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	var verdicts []func()
	for i := range all {
		l := &all[i]
		if l.scripts == nil || !b.judges(l.name) {
			continue
		}
		scripts, why := l.scripts(b)
		problems := make([]string, len(scripts))
		for i, s := range scripts {
			group.Go(func() error {
				problems[i] = b.judgeScript(ctx, s)
				return nil
			})
		}
		verdicts = append(verdicts, func() {
			if why != "" {
				add(l.name, unjudged(why))
				return
			}
			add(l.name, verdictOn(scripts, problems))
		})
	}
	_ = group.Wait() // problems say it
	for _, verdict := range verdicts {
		verdict()
	}
}

// judgeScript says how a script broke its law; empty: it didn't.
func (b *bench) judgeScript(ctx context.Context, s script) string {
	if ctx.Err() != nil {
		return "interrupted"
	}
	out, err := b.play(s)
	switch {
	case err != nil:
		return err.Error()
	case s.judge != nil:
		return s.judge(&out)
	}
	return out.different(b.plain.result)
}

// verdictOn is the verdict by the problems of scripts. It names the first script that broke the law.
func verdictOn(scripts []script, problems []string) Verdict {
	count, first := 0, ""
	for i, problem := range problems {
		if problem != "" {
			count++
			first = cmp.Or(first, scripts[i].name+": "+problem)
		}
	}
	if count > 0 {
		return broken("%s (%d of %d scripts)", first, count, len(scripts))
	}
	return held("%d scripts", len(scripts))
}

// judgeSecret looks for secrets and numbers in all that was written.
func (b *bench) judgeSecret() Verdict {
	series := slices.Sorted(maps.Keys(b.plain.result))
	written := b.written.String() + strings.Join(append(series, ""), "\n")
	if name := b.secretIn(written); name != "" {
		return broken("%s is in what the exporter wrote", name)
	}
	for _, r := range b.rows {
		if r.mapped.Record == nil {
			continue
		}
		for _, number := range []string{r.mapped.Record.CallerNumber, r.mapped.Record.CalleeNumber} {
			if len(number) > 6 && strings.Contains(written, number) {
				return broken("a number of %s is in what the exporter wrote", r.name)
			}
		}
	}
	return held("%d secrets, %d bytes written", len(b.secrets), len(written))
}

// secretIn names a secret of the source, or a token, that a text has; empty: it has none.
func (b *bench) secretIn(text string) string {
	for name, secret := range b.secrets {
		if strings.Contains(text, secret) {
			return "the secret " + name
		}
	}
	if strings.Contains(text, accessToken) || strings.Contains(text, nextRefreshToken) {
		return "a token that the provider gave"
	}
	return ""
}
