package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

const (
	// dearWindow is within what time calls must have been read to be a burst, as of CDRTollFraud.
	dearWindow = time.Hour
	// dearAge is how old a call may be that is read: what is older is of a history.
	dearAge = 24 * time.Hour
)

// mostAccounts is how many accounts a burst names.
const mostAccounts = 3

// dearFindings are the bursts of calls to premium or satellite numbers of a country, and the
// accounts behind them. The command that they name lists all, with their numbers.
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
		what := fmt.Sprintf("%s to %s numbers of %s were read within an hour", things(len(burst), "call"), to.class,
			cmp.Or(to.country, "an unknown country"))
		what += accounts(burst)
		country := ""
		if to.country != "" {
			country = " --country " + to.country
		}
		all = append(all, Finding{
			// without Since, from which lost calls are counted
			Level: LevelWarn, Subject: source + " " + feed.Feed, What: what,
			Cause: "toll fraud, if nobody knows of them",
			Remedy: fmt.Sprintf("Who called: cdr-exporter incident --config.file %s --source %s --from %s --callers%s",
				cmp.Or(status.ConfigFile, "config.yaml"), source, first.Truncate(time.Minute).Format(time.RFC3339),
				country),
		})
	}
	return all
}

// accounts are those that made most of the calls, as far as their provider names them.
func accounts(burst []metrics.DearCall) string {
	calls := make(map[string]int)
	for i := range burst {
		calls[burst[i].Account]++
	}
	delete(calls, "")
	most := slices.SortedFunc(maps.Keys(calls),
		func(a, b string) int { return cmp.Or(cmp.Compare(calls[b], calls[a]), cmp.Compare(a, b)) })
	text, left := "", len(burst)
	for i, account := range most[:min(len(most), mostAccounts)] {
		text += fmt.Sprintf("%s %d by %s", []string{":", ","}[min(i, 1)], calls[account], account)
		left -= calls[account]
	}
	if text != "" && left > 0 {
		text += fmt.Sprintf(", %d by others", left)
	}
	return text
}
