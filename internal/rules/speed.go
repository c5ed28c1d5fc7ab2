package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// Hastened are recording.yaml and alerts.yaml for a place in which time runs so many times
// faster: ranges, offsets, holds and numbers of seconds are shorter by that, all else is as
// it is shipped. Tests and tools/stack see alerts fire within a minute by them.
func Hastened(speed int) (recording, alerts []byte, err error) {
	if speed < 1 {
		return nil, nil, fmt.Errorf("hasten rules: %d is no speed", speed)
	}
	title := fmt.Sprintf("rules of cdr-exporter, %d times as fast: for tests only.", speed)
	if recording, err = file("Recording "+title, hasten(Default().Recording(), speed)); err != nil {
		return nil, nil, err
	}
	if alerts, err = file("Alerting "+title, hasten(Default().Alerting(), speed)); err != nil {
		return nil, nil, err
	}
	return recording, alerts, nil
}

func hasten(groups []Group, speed int) []Group {
	for i := range groups {
		groups[i].Interval /= time.Duration(speed)
		for j := range groups[i].Rules {
			r := &groups[i].Rules[j]
			r.For /= time.Duration(speed)
			r.Keep /= time.Duration(speed)
			r.Expr = hastenExpr(r.Expr, speed)
		}
	}
	return groups
}

// promqlToken is what an expression is made of, as far as time is concerned: texts and names
// are matched so that numbers in them aren't.
var promqlToken = regexp.MustCompile(`"[^"]*"|[a-zA-Z_][a-zA-Z0-9_:]*|[0-9]+(?:ms|[smhdw])\b|[0-9]+(?:\.[0-9]+)?`)

func hastenExpr(expr string, speed int) string {
	return promqlToken.ReplaceAllStringFunc(expr, func(token string) string {
		if d, err := model.ParseDuration(token); err == nil && token != "0" {
			return duration(time.Duration(d) / time.Duration(speed))
		}
		if isSeconds(token) {
			seconds, _ := strconv.ParseFloat(token, 64) // these are whole numbers
			return number(seconds / float64(speed))
		}
		return token
	})
}

// HastenText shortens every time in a text by a speed: for the example of Alertmanager's
// configuration, which has no other numbers with units.
func HastenText(text string, speed int) string {
	return regexp.MustCompile(`\b[0-9]+[smhdw]\b`).ReplaceAllStringFunc(text, func(token string) string {
		d, _ := model.ParseDuration(token) // the expression finds nothing else
		return duration(time.Duration(d) / time.Duration(speed))
	})
}

// isSeconds says whether a number in an expression is of seconds: the lengths of windows
// by which a rate becomes a number of calls, and the thresholds of ages.
func isSeconds(token string) bool {
	p := Default()
	seconds := []int{freshSeconds, recentSeconds, p.StaleSeconds, p.SilentSeconds, p.OutboxSeconds, 3600, 86400}
	for _, w := range []window{w5m, w30m, w1h, w6h, w1d, w3d} {
		seconds = append(seconds, w.seconds())
	}
	n, err := strconv.Atoi(token)
	return err == nil && slices.Contains(seconds, n)
}
