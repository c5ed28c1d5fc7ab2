package dashboards

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// The units that are ours to choose.
const (
	unitRatio = units.PercentUnit
	unitAge   = units.Seconds
	// unitNumber writes counts out, 1,450 and not 1 K.
	unitNumber = units.LocaleFormat
	// unitMoney has no sign: one panel shows several currencies, named by its legend.
	unitMoney = units.NoUnit
)

// A course of what comes from records: providers publish them in bursts of up to half an hour.
const (
	// barMinutes is the least length of a bar of calls, moneyMinutes of one of money.
	barMinutes, moneyMinutes = 5, 60
	// ratioMinutes is the least span of a ratio or quantile, and ratioLeast how many there must be to draw a ratio.
	ratioMinutes, ratioLeast = 30, 5
)

// rare are the counters of the exporter's own that a healthy day doesn't have, so that a rate of them means nothing.
var rare = []*metrics.Def{metrics.UnmappedValues, metrics.SeriesOverflow}

// measure is how a metric is shown, in every panel.
type measure struct {
	// unit is the unit of a gauge's value, of a histogram's observations, or of a counter's growth over the time shown.
	unit string
	// flow is the unit of a counter's rate, and span the seconds that the rate is of.
	flow string
	span int
	// every is the least minutes of a bar of a counter, 0 if its rate is shown, and the least span of a histogram's
	// quantiles.
	every int
	// across adds the series of a gauge up; counters and histograms are summed.
	across string
}

// How the series of each gauge are combined. A sum of values that don't add up is the most common lie of dashboards,
// so a gauge has no default: one that isn't here can't be shown.
var gauges = map[string][]*metrics.Def{
	"sum": {
		metrics.ActiveCalls, metrics.Tasks, metrics.OutboxRecords, metrics.OutboxSpans, metrics.OutboxLimit,
		metrics.ReconciliationDifference,
	},
	// Peaks of two trunks can be at different instants. Replicas, and an exporter with a moved ledger, show the same
	// last attempts.
	"max": {
		metrics.MediaBypassRatio, metrics.PeakConcurrency,
		metrics.RecentAttempts, metrics.RecentFaults, metrics.RecentConnected, metrics.RecentNewest,
		metrics.FeedOwned, metrics.ClockOffset,
		metrics.AuditDifference,
	},
	"min": {metrics.Watermark, metrics.CredentialExpiry},
}

// processStart is of a collector of client_golang's, so it isn't in the catalogue.
var processStart = &metrics.Def{Name: "process_start_time_seconds", Unit: "s", Kind: metrics.Gauge}

// measureOf returns how a metric is shown. Records count when they are read, connected seconds all at once, so the
// rate of a counter isn't the rate of calls: each bar shows the sum of its time.
func measureOf(d *metrics.Def) measure {
	m := measure{unit: valueUnit(d), across: "sum"}
	if d.Base == metrics.RecordBase || slices.Contains(rare, d) {
		m.every = barMinutes
	}
	switch d.Kind {
	case metrics.Counter:
		m.unit, m.flow, m.span = unitNumber, units.CountsPerMinute, 60
	case metrics.Seconds:
		m.unit, m.flow = units.Seconds, unitRatio
	case metrics.Money:
		m.unit, m.every = unitMoney, moneyMinutes
	case metrics.Gauge:
		m.across = ""
		for across, of := range gauges {
			if slices.Contains(of, d) {
				m.across = across
			}
		}
	case metrics.Histogram:
		if m.every > 0 {
			m.every = ratioMinutes
		}
	}
	return m
}

// valueUnit is Grafana's name of the unit that OTLP carries.
func valueUnit(d *metrics.Def) string {
	switch {
	case strings.HasSuffix(d.Name, "_timestamp_seconds"):
		return units.DateTimeFromNow
	case d.Unit == "s":
		return units.Seconds
	case d.Unit == "By":
		return units.BytesIEC
	case d.Unit == "1" && d != metrics.MediaMOS:
		return unitRatio
	}
	return unitNumber
}
