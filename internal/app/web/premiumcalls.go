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
	// premiumWindow is within what time calls must have been read to be a burst, as of CDRTollFraud.
	premiumWindow = time.Hour
	// premiumAge is how old a call may be that is read: what is older is of a history.
	premiumAge = 24 * time.Hour
)

// mostAccounts is how many accounts a burst names.
const mostAccounts = 3

// premiumFindings are the bursts of calls to premium or satellite numbers of a country, and the
// accounts behind them. The command that they name lists all, with their numbers.
func premiumFindings(status *Status, source string, feed *Feed) (all []Finding) {
	type destination struct{ country, class string }
	calls := make(map[destination][]metrics.PremiumCall)
	var order []destination
	for _, c := range feed.PremiumCalls {
		to := destination{c.Country, c.Class}
		if status.Now.Sub(c.Read) > premiumWindow || c.Read.Sub(c.Start) > premiumAge {
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
		earlier := func(a, b metrics.PremiumCall) int { return a.Start.Compare(b.Start) }
		first := slices.MinFunc(burst, earlier).Start.UTC()
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
func accounts(burst []metrics.PremiumCall) string {
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
