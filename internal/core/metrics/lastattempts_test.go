package metrics

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// attempt is an outbound call over sbc1 that started second seconds after midday.
func attempt(second int, outcome cdr.Outcome, options ...func(*cdr.Record)) *cdr.Record {
	r := &cdr.Record{
		Start: midday.Add(time.Duration(second) * time.Second), Direction: cdr.Outbound, Outcome: outcome,
		Trunk: "sbc1",
	}
	for _, o := range options {
		o(r)
	}
	return r
}

// from repeats an attempt, a second apart.
func from(second, n int, outcome cdr.Outcome, options ...func(*cdr.Record)) (all []*cdr.Record) {
	for i := range n {
		all = append(all, attempt(second+i, outcome, options...))
	}
	return all
}

// commitAttempts commits attempts and has them written and read as the ledger does.
func commitAttempts(t *testing.T, s *Store, f *FeedSeries, records []*cdr.Record) {
	t.Helper()
	c := s.Begin(f, midday)
	for _, r := range records {
		c.addAll(of(facts.Attempt, r))
	}
	for i, series := range c.Changed {
		series.ID = int64(i + 1)
		text := string(series.AppendNext(nil))
		v, err := parseValue(RecentAttempts, text)
		if err != nil || string(v.append(nil, RecentAttempts)) != text {
			t.Errorf("stored as %s, read as %s, %v", text, v.append(nil, RecentAttempts), err)
		}
	}
	c.Apply(nil)
}

// newRecentFeed makes a store with a feed that is shown.
func newRecentFeed(noReasons bool, limit int) (*Store, *FeedSeries) {
	s := NewStore(Options{SeriesLimit: limit, ZeroFor: time.Hour}, func() time.Time { return midday })
	f := NewFeed("a", "p", "f", true)
	f.NoReasons = noReasons
	s.Active(f, true)
	return s, f
}

// story tells a Recent as `trunk: outcomes' first letters, of such since second; top`.
func (r *LastAttempts) story(such Ending) string {
	var letters strings.Builder
	for _, a := range r.Attempts {
		letters.WriteByte(a.Outcome.String()[0])
	}
	since := "never"
	if at := r.Since(such); !at.IsZero() {
		since = fmt.Sprint(at.Sub(midday).Seconds())
	}
	top, n := r.TopFailure(such)
	var affected string
	labels, _ := r.TopLabels(such)
	for _, l := range labels {
		affected += fmt.Sprintf(", %d %s %s", l.Count, l.Name, l.Value)
	}
	return fmt.Sprintf("%s %s %s: %d since %s, %d x %s", r.Direction, r.Trunk, letters.String(), r.count(such), since,
		n,
		strings.Join([]string{top.SIPCode, top.SubCode, top.Reason, top.FaultDomain}, "/")) + affected
}

// attemptsOf reads attempts: `3f b@sbc2`. Each is a second after midday, the first letter of an outcome, and words of
// attemptWords; f*64 is that many, a second apart.
func attemptsOf(t *testing.T, text string) (all []*cdr.Record) {
	t.Helper()
	for one := range strings.FieldsSeq(text) {
		one, options, _ := strings.Cut(one, "@")
		one, times, _ := strings.Cut(one, "*")
		second, err := strconv.Atoi(one[:len(one)-1])
		n := 1
		if times != "" && err == nil {
			n, err = strconv.Atoi(times)
		}
		require.NoError(t, err)
		outcome := map[byte]cdr.Outcome{
			'a': cdr.Answered, 'f': cdr.Failed, 'b': cdr.Busy, 'v': cdr.Voicemail,
			'n': cdr.NotConnected, 'u': cdr.Unknown,
		}[one[len(one)-1]]
		all = append(all, from(second, n, outcome, attemptWords[options])...)
	}
	return all
}

var attemptWords = map[string]func(*cdr.Record){
	"": func(*cdr.Record) {},
	"expired": func(r *cdr.Record) { // the codes of an expired certificate
		r.SIPCode, r.SubCode = cdr.KnownInt(503), cdr.KnownInt(569008)
		r.Reason, r.FaultDomain = "certificate_expired", cdr.FaultSBC
	},
	"busy":    func(r *cdr.Record) { r.SIPCode, r.Reason, r.FaultDomain = cdr.KnownInt(486), "busy", cdr.FaultUser },
	"inbound": func(r *cdr.Record) { r.Direction = cdr.Inbound },
	"berlin":  func(r *cdr.Record) { r.Labels = cdr.NewLabels([]cdr.Label{{Name: "site", Value: "Berlin"}}) },
	"sbc2":    func(r *cdr.Record) { r.Trunk = "sbc2" },
}

func TestRecent(t *testing.T) {
	const expired = "503/569008/certificate_expired/sbc"
	full := "outbound sbc1 " + strings.Repeat("f", 64) + ": 64 since "
	for _, c := range []struct {
		name    string
		commits string
		such    Ending
		want    string
	}{
		{"none", "", Faults, ""},
		{"an outage", "0a | 5f@expired 9f@expired", Faults, "outbound sbc1 aff: 2 since 5, 2 x " + expired},
		{
			"whose calls these are", "1f@berlin 2f@berlin 3f 4a@berlin", Faults,
			"outbound sbc1 fffa: 3 since never, 3 x ///unknown, 2 site Berlin",
		},
		{"it is over", "5f@expired | 7v", Faults, "outbound sbc1 fv: 1 since never, 1 x " + expired},
		{"busy isn't a fault", "1f@expired 2b@busy", Faults, "outbound sbc1 fb: 1 since never, 1 x " + expired},
		{
			"nobody answers", "1a 2b@busy 3f@expired 4b@busy", Unconnected,
			"outbound sbc1 abfb: 3 since 2, 2 x 486//busy/user",
		},
		{"no attempts", "1n 2u 3a", Faults, "outbound sbc1 a: 0 since never, 0 x ///"},
		{"without reasons", "1n 2u 3a", Unconnected, "outbound sbc1 na: 1 since never, 1 x ///unknown"},
		{
			"by trunk and direction", "1a@sbc2 2f 3b@inbound", Faults, "inbound sbc1 b: 0 since never, 0 x ///; " +
				"outbound sbc1 f: 1 since 2, 1 x ///unknown; outbound sbc2 a: 0 since never, 0 x ///",
		},
		{"in one commit by their start", "5f 3b 4a", Faults, "outbound sbc1 baf: 1 since 5, 1 x ///unknown"},
		{
			"a late record stands where its call began", "50a | 3f", Faults,
			"outbound sbc1 fa: 1 since never, 1 x ///unknown",
		},
		{"the last 64", "0a*3 | 0f*70", Faults, full + "2, 64 x ///unknown"},
		{
			"a catch-up whose newest calls come first", "0f*64 | 200a*40 | 160b*40 | 120f*40", Faults,
			"outbound sbc1 " + strings.Repeat("b", 24) + strings.Repeat("a", 40) + ": 0 since never, 0 x ///",
		},
		{
			"a late call that got through before those that are kept", "-9f | 100f*64 | 50a", Faults,
			full + "100, 64 x ///unknown",
		},
		{
			"a late call that failed before those that are kept", "-9f | 100f*64 | 50f | -20a", Faults,
			full + "-9, 64 x ///unknown",
		},
		{
			"an outage that is longer than what is kept", "-9f -8b@busy | 0f*40 | 0f*40 | 0f*40", Unconnected,
			full + "-9, 64 x ///unknown",
		},
		{
			"a call that got through, longer ago than what is kept", "-9f -8b@busy | 0f*40 | 0f*40 | 0f*40", Faults,
			full + "0, 64 x ///unknown",
		},
		{"the last 64 of a page whose newest call comes first", "0f*64 -1b -2b", Faults, full + "0, 64 x ///unknown"},
		{
			"a call that got through, in such a page behind the last 64", "-9f | 0f*64 -1a -2f", Faults,
			full + "0, 64 x ///unknown",
		},
		{"none got through in such a page", "-9f | 0f*64 -1f -2f", Faults, full + "-9, 64 x ///unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newRecentFeed(c.name == "without reasons", 100)
			for attempts := range strings.SplitSeq(c.commits, "|") {
				commitAttempts(t, s, f, attemptsOf(t, attempts))
			}
			var got []string
			for _, r := range s.LastAttempts() {
				got = append(got, r.story(c.such))
			}
			slices.Sort(got)
			if got := strings.Join(got, "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The gauges are shown at once, with their value. A feed without reasons has no faults.
func TestRecentGauges(t *testing.T) {
	for _, noReasons := range []bool{false, true} {
		t.Run(fmt.Sprint("no reasons ", noReasons), func(t *testing.T) {
			s, f := newRecentFeed(noReasons, 100)
			commitAttempts(t, s, f, []*cdr.Record{attempt(9, cdr.Answered), attempt(8, cdr.Failed)})
			want := []string{
				"cdr_recent_attempts{a p f outbound sbc1} 2",
				"cdr_recent_connected{a p f outbound sbc1} 1",
			}
			if !noReasons {
				want = append(want, "cdr_recent_faults{a p f outbound sbc1} 1")
			}
			want = append(want, fmt.Sprintf("cdr_recent_newest_timestamp_seconds{a p f outbound sbc1} %v",
				float64(midday.Unix()+9)))
			if got := shownBy(s.Snapshot(), RecentAttempts, RecentFaults, RecentConnected,
				RecentNewest); !slices.Equal(got, want) {
				t.Errorf("shown are %q, want %q", got, want)
			}
		})
	}
}

// A feed that isn't configured, or still reads its first history, isn't shown.
func TestRecentIsHidden(t *testing.T) {
	s, f := newRecentFeed(false, 100)
	f.revealed = false
	commitAttempts(t, s, f, from(0, 3, cdr.Failed))
	if got := s.LastAttempts(); got != nil {
		t.Errorf("while the history is read: %+v", got)
	}
	s.Reveal(f, time.Time{})
	if got := s.LastAttempts(); len(got) != 1 || len(got[0].Attempts) != 3 {
		t.Errorf("when it was read: %+v", got)
	}
	s.Active(f, false)
	if got := s.LastAttempts(); got != nil {
		t.Errorf("no longer configured: %+v", got)
	}
}

// counting.md 22: past the series limit trunks fold, and directions stay.
func TestRule22RecentOverflow(t *testing.T) {
	s, f := newRecentFeed(false, 1)
	for _, trunk := range []string{"sbc1", "sbc2", "sbc3"} {
		commitAttempts(t, s, f, from(0, 2, cdr.Failed, func(r *cdr.Record) { r.Trunk = trunk }))
	}
	want := []string{"cdr_recent_faults{a p f outbound overflow} 4", "cdr_recent_faults{a p f outbound sbc1} 2"}
	if got := shownBy(s.Snapshot(), RecentFaults); !slices.Equal(got, want) {
		t.Errorf("shown are %q, want %q", got, want)
	}
}

func TestRecentThatIsDamaged(t *testing.T) {
	for _, text := range []string{
		``, `12`, `{"attempts":[[1,200,-1]]}`, `{"attempts":[[1,-1,-1]]}`, `{"attempts":[[1,9,0]]}`,
		`{"attempts":[[1,9,-2]],"failures":[{}]}`, `{"attempts":[[1,1,-1,1]]}`, `{"attempts":[[1,1,-1,-1]]}`,
	} {
		if _, err := parseValue(RecentAttempts, text); err == nil {
			t.Errorf("%s must be an error", text)
		}
	}
}
