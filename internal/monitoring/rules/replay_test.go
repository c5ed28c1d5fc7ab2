package rules

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A replay is the life of one tenant, told as calls: healthy for a while, with a day's rhythm, and then something
// happens. Its source has the replay's name, so that one run of promtool holds many. Series are made from the calls
// as the exporter makes them: counters and gauges move when a record is read, which is in bursts.
type replay struct {
	name, feed string
	trunks     []string
	// rate is how many calls each trunk has an hour at noon.
	rate float64
	// burst is how far apart records arrive.
	burst time.Duration
	// before is how long the tenant was healthy, lasts how long the event does.
	before, lasts time.Duration
	// happens changes a call of the event; false: it isn't made.
	happens func(c *call) bool
	// more are further calls, by the time since the event's beginning.
	more []call
	// gone: every series ends with the event; removed: the series of the source end. With otlp they leave no stale
	// marker, and the series up doesn't exist.
	gone, removed, otlp bool
	// own are further series by the time since the event's beginning, such as an own counter.
	own map[string]func(since time.Duration) float64
	// want are all alerts that fire from the event on. None may fire before.
	want []expected
	// pages is how often a pager is called and told that all is well, with the shipped example for Alertmanager.
	pages int
	// over is how long after the end of the event nobody is paged for it any more.
	over time.Duration
}

// ofQueue makes a replay one of visits to a queue, by counters of those that were answered, those that were
// abandoned, and of these the short ones.
func (r *replay) ofQueue(answered, abandoned, short func(time.Duration) float64) {
	r.feed, r.trunks = "queue_log", nil
	r.own = map[string]func(time.Duration) float64{
		`cdr_queue_calls_total{queue="support", result="answered"}`:                    answered,
		`cdr_queue_calls_total{queue="support", result="abandoned"}`:                   abandoned,
		`cdr_queue_wait_seconds_bucket{queue="support", result="abandoned", le="5.0"}`: short,
	}
}

// expected is an alert that fires at the latest this long after the event began (by), and without a gap until; zero
// means any time.
type expected struct {
	alert     string
	by, until time.Duration
}

// call is a record.
type call struct {
	at                        time.Duration // of its end
	trunk, direction, outcome string
	sip, sub, reason, domain  string
	country, class, currency  string
	seconds, charge           float64
	session                   string
	late                      bool
}

// aWeek is how long a tenant was healthy at most.
const aWeek = 7 * 24 * time.Hour

// clock is how a file of replays passes, from when tenants begin: the event is at noon.
type clock struct {
	event, end time.Duration
	// step is how often rules are evaluated. Series are sampled every 5 minutes, and from an hour before the event
	// on each minute.
	step time.Duration
}

// healthy makes the calls of a tenant without the event.
func (r *replay) healthy(c clock) (calls []call) {
	random := rand.New(rand.NewPCG(1, uint64(len(r.name)))) //nolint:gosec // the same calls each time
	for _, trunk := range r.trunks {
		at := c.event - r.before
		for at < c.end {
			hour := math.Mod((at-c.event+aWeek).Hours()+12, 24)
			pace := r.rate * max(0.04, math.Sin(math.Pi*(hour-6)/14))
			at += time.Duration(random.ExpFloat64() / pace * float64(time.Hour))
			k := call{at: at, trunk: trunk, direction: "outbound", outcome: "answered", seconds: 60 +
				240*random.Float64(), country: "DE"}
			switch {
			case r.feed == "call_records":
				k.direction = "internal"
			case random.IntN(3) == 0:
				k.direction = "inbound"
			}
			r.end(&k, random.Float64())
			calls = append(calls, k)
		}
	}
	return calls
}

// withReasons are the feeds that say why a call failed. The replay reads them for each call, so they are computed once.
var withReasons = feeds(reasonFeeds)

// end says how a healthy call ends, by chance: 85 % connect.
func (r *replay) end(k *call, chance float64) {
	k.session = "ok"
	switch reasons := slices.Contains(withReasons, r.feed); {
	case chance < 0.85:
		return
	case !reasons:
		k.outcome = "not_connected"
	case chance < 0.95:
		k.fail("no_answer", "480", "no_answer", "user")
	case chance < 0.985:
		k.fail("busy", "486", "busy", "user")
	case chance < 0.997:
		k.fail("invalid_number", "404", "number_format", "user")
	default:
		k.fail("failed", "503", "trunk_unreachable", "sbc")
	}
	k.seconds = 0
}

// fail makes a call end in another way.
func (k *call) fail(outcome, sip, reason, domain string) bool {
	k.outcome, k.sip, k.reason, k.domain, k.seconds = outcome, sip, reason, domain, 0
	return true
}

// course is a series: what it becomes at a minute.
type course struct {
	begin  int // the first minute with a sample
	end    int // the first without; zero: none
	stale  bool
	points map[int]float64
	gauge  bool                     // a point is the value from then on, not what is added
	at     func(minute int) float64 // instead of points
}

// series returns the series of a replay.
func (r *replay) series(c clock) map[string]*course {
	all := make(map[string]*course)
	begin := int((c.event - r.before).Minutes())
	event := int(c.event.Minutes())
	labels := fmt.Sprintf(`source=%q, feed=%q`, r.name, r.feed)
	add := func(minute int, by float64, metric string, more ...string) {
		name := fmt.Sprintf("%s{%s, %s}", metric, labels, strings.Join(more, ", "))
		if all[name] == nil {
			all[name] = &course{begin: begin, points: make(map[int]float64)}
			if minute > begin+60 { // a new series shows 0 first
				all[name].begin = minute - minute%5 - 5
			}
		}
		all[name].points[minute] += by
	}
	calls := r.healthy(c)
	calls = slices.DeleteFunc(calls, func(k call) bool { return k.at >= c.end })
	for i := range calls {
		if k := &calls[i]; r.happens != nil && k.at >= c.event && k.at < c.event+r.lasts && !r.happens(k) {
			k.outcome = ""
		}
	}
	for _, k := range r.more {
		k.at += c.event
		calls = append(calls, k)
	}
	slices.SortStableFunc(calls, func(a, b call) int { return int(a.at - b.at) })
	recent := make(map[string]*recentBits)
	for _, k := range calls {
		if k.outcome == "" {
			continue
		}
		minute := int((k.at + r.burst - 1).Truncate(r.burst) / time.Minute)
		r.count(&k, minute, add)
		if k.outcome == "unknown" {
			continue
		}
		which := fmt.Sprintf(`%s, direction=%q, trunk=%q`, labels, k.direction, k.trunk)
		if recent[which] == nil {
			recent[which] = &recentBits{}
		}
		recent[which].push(&k)
		recent[which].show(all, which, begin, minute, k.at, r.feed)
	}
	r.ownSeries(all, labels, begin, event)
	return all
}

// count moves the counters of a call.
func (r *replay) count(k *call, minute int, add func(int, float64, string, ...string)) {
	late := is("late", fmt.Sprint(k.late))
	direction, trunk, outcome := is("direction", k.direction), is("trunk", k.trunk), is("outcome", k.outcome)
	add(minute, 1, "cdr_calls_total", direction, outcome, trunk, late)
	add(minute, 1, "cdr_calls_by_country_total", direction, is("country", k.country), is("number_class",
		cmp.Or(k.class, cdr.ClassGeographic)),
		is("connected", fmt.Sprint(k.outcome == "answered")))
	if k.outcome == "answered" {
		add(minute, k.seconds, "cdr_call_connected_seconds_total", direction, trunk, is("country", k.country))
	} else {
		add(minute, 1, "cdr_call_failures_total", direction, trunk, outcome, is("sip_code", k.sip), is("sub_code",
			k.sub), is("reason", k.reason),
			is("fault_domain", k.domain), late)
	}
	if k.charge > 0 {
		add(minute, k.charge, "cdr_call_charges_total", direction, is("currency", k.currency), is("component",
			"usage"), is("country", k.country))
	}
	if r.feed == "call_records" {
		add(minute, 1, "cdr_sessions_total", is("result", k.session), is("media", "audio"))
	}
}

// recentBits are the last 64 attempts of a trunk and direction.
type recentBits struct {
	faults, connected uint64
	attempts          int
}

func (b *recentBits) push(k *call) {
	b.faults, b.connected, b.attempts = b.faults<<1, b.connected<<1, min(b.attempts+1, 64)
	switch k.outcome {
	case "failed":
		b.faults |= 1
	case "answered":
		b.connected |= 1
	}
}

func (b *recentBits) show(all map[string]*course, labels string, begin, minute int, start time.Duration, feed string) {
	values := map[string]float64{
		"attempts": float64(b.attempts), "connected": float64(bits.OnesCount64(b.connected)),
		"newest_timestamp_seconds": start.Seconds(),
	}
	if slices.Contains(withReasons, feed) {
		values["faults"] = float64(bits.OnesCount64(b.faults))
	}
	for name, value := range values {
		series := fmt.Sprintf("cdr_recent_%s{%s}", name, labels)
		if all[series] == nil {
			all[series] = &course{begin: max(begin, minute), points: map[int]float64{}, gauge: true}
		}
		all[series].points[minute] = value
	}
}

// ownSeries adds the exporter's own series.
func (r *replay) ownSeries(all map[string]*course, labels string, begin, event int) {
	instance := fmt.Sprintf(`job=%q, instance="%s:9887"`, r.name, r.name)
	both := "{" + labels + ", " + instance + "}"
	own := map[string]func(int) float64{
		"cdr_exporter_watermark_timestamp_seconds" + both:              func(m int) float64 { return float64(60 * m) },
		"cdr_exporter_catching_up" + both:                              func(int) float64 { return 0 },
		"cdr_exporter_config_last_reload_successful{" + instance + "}": func(int) float64 { return 1 },
		"cdr_exporter_build_info{" + instance + "}":                    func(int) float64 { return 1 },
		"up{" + instance + "}":                                         func(int) float64 { return 1 },
	}
	if r.otlp {
		delete(own, "up{"+instance+"}")
	}
	for name, at := range own {
		all[name] = &course{begin: begin, at: at}
	}
	for name, since := range r.own {
		all[strings.Replace(name, "{", "{"+labels+", "+instance+", ", 1)] = &course{
			begin: begin,
			at: func(m int) float64 {
				return since(time.Duration(m-event) * time.Minute)
			},
		}
	}
	for name, s := range all {
		if r.gone || r.removed && strings.Contains(name, "source=") {
			s.end, s.stale = event, !r.otlp
		}
	}
}

// values writes a series as promtool reads it.
func (s *course) values(c clock) string {
	var b strings.Builder
	fine := int(c.event.Minutes()) - 60
	value, missing := 0.0, 0
	for m := range int(c.end.Minutes()) + 1 {
		point, ok := s.points[m]
		switch {
		case s.at != nil:
			value = s.at(m)
		case !s.gauge:
			value += point
		case ok:
			value = point
		}
		switch {
		case s.end > 0 && m >= s.end:
			if s.stale {
				b.WriteString(" stale")
			}
			return b.String()
		case m < s.begin || m < fine && m%5 != 0:
			missing++
			continue
		case missing > 0:
			fmt.Fprintf(&b, " _x%d", missing)
			missing = 0
		}
		fmt.Fprintf(&b, " %g", value)
	}
	return b.String()
}

// replayed are the groups of rules without the series that no alert reads.
func replayed() (recording, alerting []Group) { return needed("", func(string) bool { return true }) }

// needed are the groups of rules without unwanted alerts, and without the series that neither the others nor a text
// name: promtool would spend most of its time on them.
func needed(text string, wanted func(alert string) bool) (recording, alerting []Group) {
	recording, alerting = Default().Recording(), Default().Alerting()
	var read strings.Builder
	read.WriteString(text)
	for i := range alerting {
		alerting[i].Rules = slices.DeleteFunc(alerting[i].Rules, func(r Rule) bool { return !wanted(r.Alert) })
		for _, r := range alerting[i].Rules {
			read.WriteString(r.Expr + r.Description)
		}
	}
	for _, g := range slices.Backward(recording) {
		for _, r := range slices.Backward(g.Rules) {
			if strings.Contains(read.String(), r.Record) {
				read.WriteString(r.Expr)
			}
		}
	}
	for i := range recording {
		recording[i].Rules = slices.DeleteFunc(recording[i].Rules,
			func(r Rule) bool { return !strings.Contains(read.String(), r.Record) })
	}
	empty := func(g Group) bool { return len(g.Rules) == 0 }
	return slices.DeleteFunc(recording, empty), slices.DeleteFunc(alerting, empty)
}

// replayFile writes a file for promtool: all replays in one test, and what it expects of each.
func replayFile(c clock, replays []replay) string {
	var b strings.Builder
	var order []string
	for _, g := range slices.Concat(replayed()) {
		order = append(order, g.Name)
	}
	fmt.Fprintf(&b, "rule_files: [recording.yaml, alerts.yaml]\nevaluation_interval: %s\ngroup_eval_order: "+
		"[%s]\ntests:\n  - interval: 1m\n    input_series:\n",
		c.step, strings.Join(order, ", "))
	for i := range replays {
		for name, s := range sorted(replays[i].series(c)) {
			fmt.Fprintf(&b, "      - {series: '%s', values: '%s'}\n", name, strings.TrimSpace(s.values(c)))
		}
	}
	b.WriteString("    promql_expr_test:\n")
	for i := range replays {
		replays[i].expect(&b, c)
	}
	return b.String()
}

// expect writes what must hold of the alerts of a replay.
func (r *replay) expect(b *strings.Builder, c clock) {
	// The watchdog has no job and no source.
	alerts := func(matcher, window string) string {
		one := func(label string) string {
			return fmt.Sprintf(`count_over_time(ALERTS{alertstate="firing", %s, %s}[%s])`, label, matcher, window)
		}
		return one(is("source", r.name)) + " or " + one(`source="", `+is("job", r.name))
	}
	write := func(expr string, at time.Duration, samples ...string) {
		fmt.Fprintf(b, "      - {expr: '%s', eval_time: %s, exp_samples: [%s]}\n", expr, at, strings.Join(samples,
			", "))
	}
	sample := func(alert string) string { return fmt.Sprintf(`{labels: '{alertname=%q}', value: 1}`, alert) }
	every := isNot("alertname", "")
	write("group by (alertname) ("+alerts(every, fmt.Sprintf("%dm", int(c.event.Minutes())))+")", c.event)
	var all []string
	for _, w := range r.want {
		all = append(all, sample(w.alert))
		if w.by > 0 {
			write("group by (alertname) ("+alerts(is("alertname", w.alert), "1m")+")", c.event+w.by, sample(w.alert))
		}
		if w.until > 0 {
			held := w.until - w.by
			write(fmt.Sprintf("max by (alertname) (%s) >= bool %d", alerts(is("alertname", w.alert),
				model.Duration(held).String()), held/c.step), c.event+w.until, sample(w.alert))
		}
	}
	write("group by (alertname) ("+alerts(every, model.Duration(c.end-c.event).String())+")", c.end, all...)
	var pages []string
	if r.pages > 0 {
		pages = []string{fmt.Sprintf("{labels: '{}', value: %d}", r.pages)}
	}
	span := fmt.Sprintf("[%s:%s]", model.Duration(c.end-c.event), model.Duration(c.step))
	began := paging(r.name, "") + " unless on (source, feed) " + paging(r.name, " "+
		"offset "+model.Duration(c.step).String())
	write(fmt.Sprintf("sum(count_over_time((%s)%s))", began, span), c.end, pages...)
	if r.over > 0 {
		write(paging(r.name, ""), c.event+r.lasts+r.over)
	}
}

// paging are the feeds of a source for which the pager has an incident: whose critical alerts of calls aren't all
// inhibited. The example for Alertmanager has one group for a feed's alerts.
func paging(source, offset string) string {
	var all []string
	for _, alert := range critically {
		one := fmt.Sprintf(`ALERTS{alertstate="firing", severity="critical", alertname=%q, source=%q}%s`, alert,
			source, offset)
		for _, by := range inhibited[alert] {
			one += fmt.Sprintf(` unless on (%s) ALERTS{alertstate="firing", %s, source=%q}%s`,
				strings.Join(by.equal, ", "), by.matcher, source, offset)
		}
		all = append(all, "("+one+")")
	}
	return "group by (source, feed) (" + strings.Join(all, " or ") + ")"
}

// critically are the critical alerts of calls, and inhibited what holds each of them back.
var (
	critically []string
	inhibited  map[string][]inhibition
)

// inhibition is an alert that holds another back while both have the same labels.
type inhibition struct {
	matcher string
	equal   []string
}

// readPager reads what the example for Alertmanager says of the critical alerts of calls.
func readPager(t *testing.T) {
	t.Helper()
	critically, inhibited = matched(t, []string{`severity = "critical"`, `signal = "calls"`}), map[string][]inhibition{}
	for _, r := range loadAlertmanager(t).InhibitRules {
		for _, target := range matched(t, r.Target) {
			if source := matched(t, r.Source); slices.Contains(critically, target) && !slices.Contains(source, target) {
				inhibited[target] = append(inhibited[target], inhibition{`alertname=~"` + strings.Join(source,
					"|") + `"`, r.Equal})
			}
		}
	}
}
