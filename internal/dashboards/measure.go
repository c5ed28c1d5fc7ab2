package dashboards

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// The units that are ours to choose.
const (
	unitRatio = units.PercentUnit
	unitAge   = units.Seconds
	// unitNumber writes counts out, 1,450 and not 1 K.
	unitNumber = units.LocaleFormat
	// unitMoney has no sign: one panel shows several currencies, named by its legend.
	unitMoney = units.NoUnit
	// unitErlang is calls at once on average: connected seconds per second.
	unitErlang = units.NoUnit
)

// measure is how a metric is shown, whatever panel shows it.
type measure struct {
	// unit is that of a gauge's value, of what a histogram observes, or of a
	// counter's growth over the time shown.
	unit string
	// flow is the unit of a counter's rate, and span the seconds that the rate is
	// of: calls are shown per minute, money per hour.
	flow string
	span int
	// across adds the series of a gauge up; counters and histograms are summed.
	across string
}

// gauges says how the series of each gauge are put together. Adding those up that
// don't add up is the commonest lie of dashboards, so there is no default: a gauge
// that isn't here can't be shown.
var gauges = map[*metrics.Def]string{
	metrics.ActiveCalls:      "sum",
	metrics.MediaBypassRatio: "max",
	// Peaks of two trunks needn't be of one instant.
	metrics.PeakConcurrency: "max",

	metrics.Watermark:   "min",
	metrics.NewestCall:  "max",
	metrics.LastSuccess: "min",
	metrics.CatchingUp:  "max",
	metrics.Unreadable:  "max",
	metrics.Tasks:       "sum",
	metrics.ClockOffset: "max",

	metrics.CredentialExpiry:             "min",
	metrics.SubscriptionExpiry:           "min",
	metrics.SubscriptionLastNotification: "max",

	metrics.OutboxRecords: "sum",
	metrics.OutboxLimit:   "sum",
	metrics.OutboxOldest:  "min",
	metrics.SeriesCount:   "sum",
	metrics.LedgerSize:    "sum",
	metrics.LedgerFree:    "min",

	metrics.ProviderRecords:          "sum",
	metrics.ReconciliationDifference: "sum",

	metrics.ReloadSuccessful: "min",
	metrics.ReloadSuccess:    "min",

	processMemory: "sum",
	buildInfo:     "sum",
}

// What every exporter shows beside the catalogue: the collectors of client_golang.
var (
	processCPU    = &metrics.Def{Name: "process_cpu_seconds_total", Kind: metrics.Seconds}
	processMemory = &metrics.Def{Name: "process_resident_memory_bytes", Unit: "By", Kind: metrics.Gauge}
	buildInfo     = &metrics.Def{
		Name: "cdr_exporter_build_info", Kind: metrics.Gauge,
		Labels: []metrics.Label{{Name: "version"}, {Name: "goversion"}},
	}
)

// measureOf is how a metric is shown.
func measureOf(d *metrics.Def) measure {
	switch d.Kind {
	case metrics.Counter:
		return measure{unit: unitNumber, flow: units.CountsPerMinute, span: 60, across: "sum"}
	case metrics.Seconds:
		return measure{unit: units.Seconds, flow: unitErlang, span: 1, across: "sum"}
	case metrics.Money:
		return measure{unit: unitMoney, flow: unitMoney, span: 3600, across: "sum"}
	case metrics.Histogram:
		return measure{unit: valueUnit(d), across: "sum"}
	case metrics.Gauge:
	}
	return measure{unit: valueUnit(d), across: gauges[d]}
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
	case d.Unit == "1":
		return unitRatio
	}
	return unitNumber
}
