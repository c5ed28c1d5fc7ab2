package laws

import (
	"fmt"
	"strings"
	"time"
)

// judgeLimits compares the limits that the definition names with those of tests.
func (b *bench) judgeLimits() Verdict {
	t, f, most, own := b.tests, b.feed.Filter, b.feed.MaxRows, ""
	if lines := b.feed.Lines(); lines != nil {
		own = lines.Read
	}
	legs := b.feed.Map != "" || b.feed.Record.Group.IsSet() || b.feed.Record.Parent.IsSet()
	within := func(own, most time.Duration) bool { return 0 < own && own <= most }
	atMost := func(n any) string { return fmt.Sprint("at most ", n) }
	atLeast := func(n any) string { return fmt.Sprint("at least ", n) }
	// A list by insertion is read up to min_age ago, and its last overlap again.
	inserted, again := b.definition.HTTP != nil && f.By == "inserted", f.Overlap.Time
	known := 0
	for _, l := range []struct {
		key          string
		known, holds bool
		own          any
		want         string
	}{
		{"filter.by", t.By != "", f.By == t.By, f.By, t.By},
		{"filter.max_range", t.MaxRange > 0, within(f.MaxRange, t.MaxRange), f.MaxRange, atMost(t.MaxRange)},
		{"filter.retention", t.Retention > 0, within(f.Retention, t.Retention), f.Retention, atMost(t.Retention)},
		{"filter.retention", t.Retention > 0, f.Retention >= t.Retention*9/10, f.Retention, fmt.Sprint(t.Retention)},
		{"filter.min_age", t.MinAge > 0, f.MinAge >= t.MinAge, f.MinAge, atLeast(t.MinAge)},
		{"max_rows", t.MaxRows > 0, 0 < most && most <= t.MaxRows, most, atMost(t.MaxRows)},
		{"filter.overlap", t.Delay > 0 && inserted, again >= t.Delay-f.MinAge, again, atLeast(t.Delay - f.MinAge)},
		{"defaults.lookback", t.Delay > 0 && !inserted, b.info.Lookback >= t.Delay, b.info.Lookback, atLeast(t.Delay)},
		{"defaults.settle", t.Apart > 0 && legs, b.info.Settle >= t.Apart, b.info.Settle, atLeast(t.Apart)},
		{"files.read", t.Read != "" && own != "", own == t.Read, own, t.Read},
	} {
		switch {
		case b.info.ActiveCalls != nil || !l.known:
		case !l.holds:
			return broken("%s is %v, want %s", l.key, l.own, l.want)
		default:
			known++
		}
	}
	if known == 0 {
		return unjudged("tests name no limit")
	}
	return held("%d limits%s", known, b.missingLimits(legs))
}

// missingLimits names what tests don't say, although the definition's lookback or settle depends on it.
func (b *bench) missingLimits(legs bool) string {
	var lacks []string
	if b.tests.Delay == 0 && (b.info.Posted == nil && b.info.Stream == nil || b.definition.HTTP != nil) {
		lacks = append(lacks, "delay")
	}
	if b.tests.Apart == 0 && legs {
		lacks = append(lacks, "apart")
	}
	if lacks == nil {
		return ""
	}
	return "; tests lack " + strings.Join(lacks, ", ")
}
