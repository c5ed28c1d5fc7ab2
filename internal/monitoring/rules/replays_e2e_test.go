//go:build e2e

package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// week is a healthy week and the rest of a working day from noon on; its rules are evaluated every 15 minutes,
// since each evaluation costs promtool some 40 ms. hours is a working day, evaluated every 2 minutes.
var (
	week  = clock{event: aWeek, end: aWeek + 6*time.Hour, step: 15 * time.Minute}
	hours = clock{event: 6 * time.Hour, end: 14 * time.Hour, step: 2 * time.Minute}
)

const (
	sbc1 = "sbc1.example.com"
	sbc2 = "sbc2.example.com"
)

// unreachable makes a call fail as through an SBC that is down.
func unreachable(c *call) bool {
	c.sub = "560503"
	return c.fail("failed", "503", "trunk_unreachable", "sbc")
}

// refused makes a call end for lack of permission or credit.
func refused(c *call) bool { return c.fail("not_allowed", "403", "no_credit", "policy") }

// onlyOn limits an event to a trunk.
func onlyOn(trunk string, event func(*call) bool) func(*call) bool {
	return func(c *call) bool { return c.trunk != trunk || event(c) }
}

func silent(*call) bool { return false }

// every spreads n calls over a time.
func every(apart time.Duration, n int, c call) (calls []call) {
	for i := range n {
		c.at = time.Duration(i) * apart
		calls = append(calls, c)
	}
	return calls
}

// from is a counter that grows by this amount each minute after the event.
func from(perMinute float64) func(time.Duration) float64 {
	return func(since time.Duration) float64 { return max(0, since.Minutes()) * perMinute }
}

func weekly() []replay {
	dr := func(name string) replay {
		return replay{
			name: name, feed: "direct_routing", trunks: []string{sbc1}, rate: 60, burst: 15 * time.Minute,
			before: aWeek, lasts: 6 * time.Hour,
		}
	}
	young := func(name string) replay { // for alerts that look back less far: a series costs time at each evaluation
		r := dr(name)
		r.before = 2 * 24 * time.Hour
		return r
	}
	with := func(r replay, change func(*replay)) replay {
		change(&r)
		return r
	}
	calling := func(country string, seconds float64) call {
		return call{trunk: sbc1, direction: "outbound", outcome: "answered", country: country, seconds: seconds}
	}
	costs := func(usual, during float64, currency string) func(*replay) {
		return func(r *replay) {
			for at := -aWeek; at < 6*time.Hour; at += 10 * time.Minute {
				c := calling("DE", 60)
				c.at, c.currency, c.charge = at, currency, usual
				if at > 0 {
					c.charge = during
				}
				r.more = append(r.more, c)
			}
		}
	}
	expensive := func(country, class string) func(*replay) {
		return func(r *replay) {
			premium := calling(country, 40)
			premium.class = class
			r.more = every(3*time.Minute, 10, premium)
			r.want, r.pages = []expected{{alert: "CDRTollFraud", by: time.Hour}}, 1
		}
	}
	// holds is an alert that fires from a time on to another.
	holds := func(alert string, by, until time.Duration) []expected {
		return []expected{{alert: alert, by: by, until: until}}
	}
	return []replay{
		// One call is long, and calls cost more yen than they did, but few.
		with(dr("control"), func(r *replay) {
			costs(2, 9, "JPY")(r)
			r.trunks, r.more = []string{sbc1, sbc2}, append(r.more, calling("PT", 4200))
		}),
		with(dr("control_small"), func(r *replay) { r.rate, r.burst = 4, 30*time.Minute }),
		with(dr("control_pstn"), func(r *replay) { r.feed = "pstn" }),
		with(young("vanished"), func(r *replay) {
			r.gone, r.want = true, holds("CDRSourceAbsent", 30*time.Minute, 5*time.Hour)
		}),
		with(young("vanished_otlp"), func(r *replay) {
			r.gone, r.otlp, r.want = true, true, holds("CDRSourceAbsent", 30*time.Minute, 5*time.Hour)
		}),
		with(young("source_removed"), func(r *replay) {
			r.removed, r.want = true, holds("CDRSourceAbsent", 30*time.Minute, 5*time.Hour)
		}),
		with(young("dead_trunk_of_three_calls_an_hour"), func(r *replay) {
			failing := calling("DE", 0)
			unreachable(&failing)
			r.rate, r.happens, r.more = 6, silent, every(20*time.Minute, 18, failing)
			r.want, r.pages = []expected{{alert: "CDRFailureSpike", by: 210 * time.Minute, until: 6 * time.Hour}}, 1
		}),
		with(young("pstn_dead"), func(r *replay) {
			r.feed, r.rate, r.lasts = "pstn", 120, time.Hour
			r.happens = func(c *call) bool { return c.fail("not_connected", "", "", "unknown") }
			r.want, r.pages = []expected{{alert: "CDRAnswersCollapsed", by: time.Hour, until: 75 * time.Minute}}, 1
		}),
		with(young("sessions_fail"), func(r *replay) {
			r.feed, r.trunks, r.lasts = "call_records", []string{""}, 4*time.Hour
			r.happens = func(c *call) bool {
				c.session = "setup_failed"
				return c.fail("not_connected", "", "", "unknown")
			}
			r.want, r.pages = []expected{
				{alert: "CDRAnswersCollapsed", by: 90 * time.Minute, until: 4 * time.Hour},
				{alert: "CDRSessionsFail", by: time.Hour, until: 4 * time.Hour},
			}, 1
		}),
		with(young("sessions_drop"), func(r *replay) {
			r.feed, r.trunks, r.lasts = "call_records", []string{""}, 4*time.Hour
			odd := false
			r.happens = func(c *call) bool {
				if odd = !odd; odd && c.session == "ok" {
					c.session = "dropped"
				}
				return true
			}
			r.want = []expected{{alert: "CDRSessionsFail", by: time.Hour, until: 4 * time.Hour}}
		}),
		with(dr("no_credit"), func(r *replay) {
			r.feed, r.trunks, r.happens, r.lasts = "call_log", []string{""}, refused, 4*time.Hour
			r.want, r.pages = []expected{{alert: "CDRAnswersCollapsed", by: 90 * time.Minute, until: 4 * time.Hour}}, 1
		}),
		with(dr("translation_rule"), func(r *replay) {
			r.trunks, r.lasts = []string{sbc1, sbc2}, 4*time.Hour
			r.happens = onlyOn(sbc2, func(c *call) bool {
				return c.direction == "inbound" || c.fail("invalid_number", "404", "number_format", "user")
			})
			r.want, r.pages = []expected{{alert: "CDRAnswersCollapsed", by: 90 * time.Minute, until: 4 * time.Hour}}, 1
		}),
		with(dr("silent_trunk"), func(r *replay) {
			r.trunks, r.happens = []string{sbc1, sbc2}, onlyOn(sbc2, silent)
			r.want = []expected{{alert: "CDRNoCalls", by: 105 * time.Minute, until: 4 * time.Hour}}
		}),
		with(dr("toll_fraud"), func(r *replay) {
			r.more = every(time.Minute, 10, calling("LV", 40))
			r.want, r.pages = []expected{{alert: "CDRTollFraud", by: 15 * time.Minute}}, 1
		}),
		with(dr("dear_dollars"), func(r *replay) {
			costs(2, 20, "USD")(r)
			r.want = []expected{{alert: "CDRChargesSurging", by: 90 * time.Minute}}
		}),
		// A few calls in the afternoon cost something each day, and one at noon does on the last.
		with(dr("one_call_at_noon"), func(r *replay) {
			paid := calling("PL", 600)
			paid.currency, paid.charge = "PLN", 4
			for at := 5*time.Hour - aWeek; at < 0; at += 24 * time.Hour {
				paid.at = at
				r.more = append(r.more, paid, paid)
			}
			paid.at = 10 * time.Minute
			r.more = append(r.more, paid)
		}),
		with(dr("minutes_surge"), func(r *replay) {
			r.more = every(5*time.Minute, 60, calling("PT", 1200))
			r.want = []expected{{alert: "CDRMinutesSurging", by: 90 * time.Minute}}
		}),
		with(young("premium_fraud"), expensive("AT", "premium")),
		with(young("satellite_fraud"), expensive("001", "satellite")), // as Iridium's and Thuraya's numbers are shown
		// A company that calls premium numbers every day is read for the first time.
		with(young("premium_calls_of_a_first_day"), func(r *replay) {
			r.before = 2 * time.Hour
			premium := calling("AT", 40)
			premium.class = "premium"
			r.more = every(3*time.Minute, 110, premium)
		}),
		with(young("one_premium_call_a_day"), func(r *replay) {
			for at := -aWeek; at < 6*time.Hour; at += 24 * time.Hour {
				premium := calling("AT", 600)
				premium.at, premium.class = at, "premium"
				r.more = append(r.more, premium)
			}
		}),
		with(dr("unusual_hour"), func(r *replay) {
			r.more = every(time.Minute, 40, calling("AL", 50))
			r.want, r.pages = []expected{{alert: "CDRTollFraud", by: time.Hour}}, 1
		}),
		// A company that calls another time zone for an hour each day, and has a Monday with 1.6 times the calls
		// and charges.
		with(dr("another_time_zone"), func(r *replay) {
			costs(2, 3.2, "USD")(r)
			for at := -aWeek; at < 6*time.Hour; at += 24 * time.Hour {
				for i := range 30 {
					there := calling("US", 200)
					there.at = at + time.Duration(i)*2*time.Minute
					r.more = append(r.more, there)
				}
			}
			r.more = append(r.more, every(3*time.Minute, 18, calling("US", 200))...)
		}),
		with(dr("wangiri"), func(r *replay) {
			missed := calling("TN", 0)
			missed.direction = "inbound"
			missed.fail("no_answer", "480", "no_answer", "user")
			r.rate, r.more = 300, every(time.Minute, 55, missed)
			back := calling("TN", 120)
			for i := range 4 {
				back.at = time.Duration(40+5*i) * time.Minute
				r.more = append(r.more, back)
			}
			r.want = []expected{{alert: "CDRTollFraud", by: 2 * time.Hour}}
		}),
		// Customers abroad call a shop that can't answer all of them, and it calls them back.
		with(dr("shop"), func(r *replay) {
			for at := -aWeek; at < 6*time.Hour; at += 24 * time.Hour {
				for i := range 50 {
					missed := calling("FR", 0)
					missed.direction, missed.at = "inbound", at+time.Duration(i)*time.Minute
					missed.fail("no_answer", "480", "no_answer", "user")
					back := calling("FR", 60)
					back.at = missed.at + time.Hour
					r.more = append(r.more, missed, back)
				}
			}
			r.rate = 300
		}),
		with(young("own_troubles"), func(r *replay) {
			r.own = map[string]func(time.Duration) float64{
				`cdr_exporter_otlp_records_total{result="rejected"}`: from(1),
				`cdr_exporter_unmapped_values_total{field="result"}`: from(1),
				`cdr_exporter_ledger_free_bytes{}`: func(since time.Duration) float64 {
					return 4e9 - 1e9*max(0, since.Hours())
				},
			}
			r.want = []expected{
				{alert: "CDRLogRecordsRejected", by: 15 * time.Minute, until: 4 * time.Hour},
				{alert: "CDRUnmappedValues", by: 15 * time.Minute, until: 4 * time.Hour},
				{alert: "CDRDiskNearlyFull", by: 4 * time.Hour, until: 5 * time.Hour},
			}
		}),
	}
}

// untilThen is a counter that grows by one amount each minute until the event, and by another after it.
func untilThen(before, during float64) func(time.Duration) float64 {
	return func(since time.Duration) float64 {
		return 1000 + min(0, since.Minutes())*before + max(0, since.Minutes())*during
	}
}

func daily() []replay {
	down := func(name string, burst time.Duration, lasts time.Duration, want ...expected) replay {
		return replay{
			name: name, feed: "direct_routing", trunks: []string{sbc1}, rate: 120, burst: burst, before: 6 * time.Hour,
			lasts: lasts, happens: unreachable, pages: 1, over: 75 * time.Minute,
			want: want,
		}
	}
	quiet := replay{
		feed: "direct_routing", trunks: []string{sbc1}, rate: 60, burst: 5 * time.Minute,
		before: 4 * time.Hour, lasts: 8 * time.Hour,
	}
	with := func(name string, change func(*replay)) replay {
		r := quiet
		r.name = name
		change(&r)
		return r
	}
	return []replay{
		down("trunk_down_1m", time.Minute, 5*time.Hour, expected{"CDRTrunkDown", 8 * time.Minute, 5 * time.Hour}),
		down("trunk_down_5m", 5*time.Minute, 5*time.Hour, expected{"CDRTrunkDown", 12 * time.Minute, 5 * time.Hour}),
		down("trunk_down_15m", 15*time.Minute, 5*time.Hour, expected{"CDRTrunkDown", 18 * time.Minute, 5 * time.Hour}),
		down("trunk_down_30m", 30*time.Minute, 5*time.Hour, expected{"CDRTrunkDown", 34 * time.Minute, 5 * time.Hour}),
		with("queue_control", func(r *replay) { r.ofQueue(untilThen(1, 1), untilThen(0.1, 0.1), untilThen(0, 0)) }),
		with("queue_slow", func(r *replay) {
			r.ofQueue(untilThen(1, 0.6), untilThen(0.1, 0.5), untilThen(0, 0))
			r.want = []expected{{alert: "CDRQueueUnanswered", by: time.Hour, until: 7 * time.Hour}}
		}),
		with("queue_misdialled", func(r *replay) {
			r.ofQueue(untilThen(1, 1), untilThen(0.1, 0.6), untilThen(0, 0.5))
		}),
		with("queue_without_agents", func(r *replay) {
			r.ofQueue(untilThen(1, 0), untilThen(0.1, 1), untilThen(0, 0))
			r.want = []expected{{alert: "CDRQueueUnanswered", by: time.Hour, until: 7 * time.Hour}}
		}),
		with("no_history", func(r *replay) {
			r.before, r.happens, r.pages = time.Hour, refused, 1
			r.want = []expected{{alert: "CDRAnswersCollapsed", by: 90 * time.Minute, until: 4 * time.Hour}}
		}),
		with("three_faults", func(r *replay) {
			r.happens = silent
			failing := call{trunk: sbc1, direction: "outbound"}
			unreachable(&failing)
			r.more = every(4*time.Minute, 3, failing)
		}),
		with("first_hours", func(r *replay) {
			r.rate, r.before = 40, time.Minute
			failing := call{trunk: sbc1, direction: "outbound"}
			unreachable(&failing)
			r.more = every(50*time.Minute, 2, failing)
		}),
		with("four_in_ten_fail", func(r *replay) {
			r.burst, r.lasts, r.rate = 30*time.Minute, 4*time.Hour, 100
			n := 0
			r.happens = func(c *call) bool { n++; return n%5 > 1 || unreachable(c) }
			r.want, r.pages = []expected{{alert: "CDRFailureSpike", by: 66 * time.Minute, until: 4 * time.Hour}}, 1
		}),
	}
}

// TestE2EReplays: weeks of calls that arrive in
// bursts, then an event. Each replay names every alert that may fire, and none fires before the event.
func TestE2EReplays(t *testing.T) {
	readPager(t)
	recording, alerting := replayed()
	for name, content := range map[string]string{
		"week": replayFile(week, weekly()), "hours": replayFile(hours, daily()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testRules(t, recording, alerting, content)
		})
	}
}

// outages are trunks that are down for an hour and then mended, with calls now and then or all the
// time, whose records come at once or in bursts.
func outages() (all []replay) {
	for _, rate := range []float64{30, 90, 240} {
		for _, burst := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
			all = append(all, replay{
				name: fmt.Sprintf("outage_%g_%gm", rate, burst.Minutes()), feed: "direct_routing",
				trunks: []string{sbc1}, rate: rate, burst: burst, before: 6 * time.Hour, lasts: time.Hour,
				happens: unreachable,
			})
		}
	}
	return all
}

// TestE2EOutages: minute by minute, an outage is one incident, in which each alert fires once and
// is resolved once; none begins after the trunk is mended and its last failed calls were read, and
// none is left when the window of an hour and what keeps an alert are over.
func TestE2EOutages(t *testing.T) {
	readPager(t)
	recording, alerting := replayed()
	c := clock{event: 6 * time.Hour, end: 10 * time.Hour, step: time.Minute}
	all := outages()
	series, _, _ := strings.Cut(replayFile(c, all), "    promql_expr_test:\n")
	var b strings.Builder
	b.WriteString(series + "    promql_expr_test:\n")
	for _, r := range all {
		write := func(expr string, at time.Duration, want string) {
			fmt.Fprintf(&b, "      - {expr: '%s', eval_time: %s, exp_samples: [%s]}\n", expr, model.Duration(at), want)
		}
		firing := fmt.Sprintf(`ALERTS{alertstate="firing", source=%q}`, r.name)
		begins := func(of, now, before string, within time.Duration) string {
			return fmt.Sprintf("%s(count_over_time((%s unless %s)[%s:1m]))", of, now, before, model.Duration(within))
		}
		write(begins("max", firing, firing+" offset 1m", 4*time.Hour), c.end, "{labels: '{}', value: 1}")
		mended := c.event + r.lasts + r.burst + 2*time.Minute
		write(begins("sum", firing, firing+" offset 1m", c.end-mended), c.end, "")
		write(firing, c.event+r.lasts+time.Hour, "")
		write(begins("sum", paging(r.name, ""), "on (source, feed) "+paging(r.name, " offset 1m"), 4*time.Hour),
			c.end, "{labels: '{}', value: 1}")
	}
	testRules(t, recording, alerting, b.String())
}
