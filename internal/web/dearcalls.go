package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

const (
	// dearWindow is within what time calls must have been read to be a burst, as of CDRPremiumCalls.
	dearWindow = time.Hour
	// dearAge is how old a call may be that is read: what is older is of a history.
	dearAge = 24 * time.Hour
)

// dearFindings are the bursts of calls to premium or satellite numbers of a country. Nothing here knows who called: the command does.
func dearFindings(status *Status, source string, feed *Feed) (all []Finding) {
	type destination struct{ country, class string }
	calls := make(map[destination][]metrics.DearCall)
	var order []destination
	for _, c := range feed.DearCalls {
		to := destination{c.Country, c.Class}
		if status.Now.Sub(c.Read) > dearWindow || c.Read.Sub(c.Start) > dearAge {
			continue
		}
		if calls[to] == nil {
			order = append(order, to)
		}
		calls[to] = append(calls[to], c)
	}
	for _, to := range order {
		burst := calls[to]
		if len(burst) < status.Thresholds.PremiumCalls {
			continue
		}
		first := slices.MinFunc(burst, func(a, b metrics.DearCall) int { return a.Start.Compare(b.Start) }).Start.UTC()
		what := fmt.Sprintf("%s to %s numbers of %s were read within an hour", things(len(burst), "call"), to.class, cmp.Or(to.country, "an unknown country"))
		country := ""
		if to.country != "" {
			country = " --country " + to.country
		}
		all = append(all, Finding{
			Level: LevelWarn, Subject: source + " " + feed.Feed, What: what, // without Since, from which lost calls are counted
			Cause: "toll fraud, if nobody knows of them",
			Remedy: fmt.Sprintf("Who called: cdr-exporter incident --config.file %s --source %s --from %s --callers%s",
				cmp.Or(status.ConfigFile, "config.yaml"), source, first.Truncate(time.Minute).Format(time.RFC3339), country),
		})
	}
	return all
}
