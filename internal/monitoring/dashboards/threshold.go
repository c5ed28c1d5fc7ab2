package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

const (
	neutral = "text"
	good    = "green"
	warning = "yellow"
	bad     = "red"
	grey    = "#808080"
)

// cantTell stands where a feed doesn't say what is asked.
const cantTell = "can't tell"

// plain judges nothing.
func plain() *dashboard.ThresholdsConfigBuilder { return steps(step(neutral)) }

// above warns from one value and is bad from another.
func above(warn, wrong float64) *dashboard.ThresholdsConfigBuilder {
	return steps(step(good), stepFrom(warning, warn), stepFrom(bad, wrong))
}

// budget warns at the share of faults that uses up the error budget. The share that pages is bad.
func (b *board) budget() *dashboard.ThresholdsConfigBuilder {
	return above(b.ErrorBudget, b.Limit(thresholds.Slow))
}

// below warns under one value and is bad under another.
func below(warn, wrong float64) *dashboard.ThresholdsConfigBuilder {
	return steps(step(bad), stepFrom(warning, wrong), stepFrom(good, warn))
}

// never is bad from the smallest value on.
func never(least float64) *dashboard.ThresholdsConfigBuilder {
	return steps(step(good), stepFrom(bad, least))
}

func steps(all ...dashboard.Threshold) *dashboard.ThresholdsConfigBuilder {
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(all)
}

// step is the colour from minus infinity on.
func step(colour string) dashboard.Threshold { return dashboard.Threshold{Color: colour} }

func stepFrom(colour string, value float64) dashboard.Threshold {
	return dashboard.Threshold{Color: colour, Value: &value}
}

// dashed draws thresholds as lines.
func dashed() *common.GraphThresholdsStyleConfigBuilder {
	return common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed)
}

// fixed is a colour that judges nothing.
func fixed(colour string) *dashboard.FieldColorBuilder {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor(colour)
}
