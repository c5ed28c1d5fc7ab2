//go:build e2e

package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// outages are trunks that are down for an hour and then mended, with calls now and then or all the
// time, whose records come at once or in bursts.
func outages() (all []replay) {
	for _, rate := range []float64{30, 60, 90, 120, 240} {
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
	path := filepath.Join(writeRules(t, recording, alerting), "outages.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", path)
}
