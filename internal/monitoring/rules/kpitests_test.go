package rules

import (
	"bytes"
	"fmt"
	"strings"
)

// Beginnings of series in kpiSeries.
const (
	callsByCountry = `cdr_calls_by_country_total{feed="pstn", `
	mediaStreams   = `cdr_media_streams_total{feed="call_records", media="audio", ` +
		`media_direction="caller_to_callee", network="wifi", platform="windows", `
)

// kpiSeries are calls of one trunk, with a number per minute for each kind. The numbers are small and uneven, so that
// a code counted in the wrong place changes a result.
var kpiSeries = []struct {
	series string
	perMin int
}{
	{`cdr_calls_total{feed="direct_routing", outcome="answered", late="false"`, 29},
	{`cdr_calls_total{feed="direct_routing", outcome="machine", late="false"`, 5},
	{`cdr_calls_total{feed="direct_routing", outcome="voicemail", late="true"`, 6},
	{`cdr_calls_total{feed="direct_routing", outcome="busy", late="false"`, 7},
	{`cdr_calls_total{feed="direct_routing", outcome="no_answer", late="false"`, 8},
	{`cdr_calls_total{feed="direct_routing", outcome="cancelled", late="false"`, 9},
	{`cdr_calls_total{feed="direct_routing", outcome="rejected", late="false"`, 2},
	{`cdr_calls_total{feed="direct_routing", outcome="invalid_number", late="false"`, 3},
	{`cdr_calls_total{feed="direct_routing", outcome="not_allowed", late="false"`, 1},
	{`cdr_calls_total{feed="direct_routing", outcome="failed", late="false"`, 16},
	{`cdr_calls_total{feed="direct_routing", outcome="failed", late="true"`, 10},
	{`cdr_calls_total{feed="direct_routing", outcome="unknown", late="false"`, 4},
	{`cdr_call_failures_total{feed="direct_routing", outcome="busy", sip_code="486", late="false"`, 7},
	{`cdr_call_failures_total{feed="direct_routing", outcome="no_answer", sip_code="480", late="false"`, 8},
	{`cdr_call_failures_total{feed="direct_routing", outcome="cancelled", sip_code="487", late="false"`, 9},
	{`cdr_call_failures_total{feed="direct_routing", outcome="rejected", sip_code="603", late="false"`, 1},
	{`cdr_call_failures_total{feed="direct_routing", outcome="rejected", sip_code="600", late="false"`, 1},
	{`cdr_call_failures_total{feed="direct_routing", outcome="invalid_number", sip_code="404", late="false"`, 3},
	{`cdr_call_failures_total{feed="direct_routing", outcome="not_allowed", sip_code="403", late="false"`, 1},
	{`cdr_call_failures_total{feed="direct_routing", outcome="failed", sip_code="503", late="false"`, 12},
	{`cdr_call_failures_total{feed="direct_routing", outcome="failed", sip_code="504", late="false"`, 2},
	{`cdr_call_failures_total{feed="direct_routing", outcome="failed", sip_code="500", late="false"`, 1},
	{`cdr_call_failures_total{feed="direct_routing", outcome="failed", sip_code="408", late="false"`, 1},
	{`cdr_call_failures_total{feed="direct_routing", outcome="failed", sip_code="502", late="true"`, 10},
	{`cdr_call_failures_total{feed="direct_routing", outcome="unknown", sip_code="302", late="false"`, 4},
	{`cdr_call_connected_seconds_total{feed="direct_routing", country="DE"`, 9600},
	{`cdr_calls_total{feed="pstn", outcome="answered", late="false"`, 3},
	{`cdr_calls_total{feed="pstn", outcome="not_connected", late="false"`, 1},
	{`cdr_call_connected_seconds_total{feed="pstn", country="DE"`, 540},
	{`cdr_call_charges_total{feed="pstn", currency="EUR", component="usage", country="DE"`, 6},
	{`cdr_call_charge_corrections_total{feed="pstn", currency="EUR", component="usage", sign="debit"`, 3},
	{`cdr_call_charge_corrections_total{feed="pstn", currency="EUR", component="usage", sign="credit"`, 2},
	{callsByCountry + `country="DE", number_class="geographic", connected="true"`, 3},
	{callsByCountry + `country="DE", number_class="premium", connected="true"`, 2},
	{callsByCountry + `country="DE", number_class="mobile", connected="false", direction="inbound"`, 7},
	{`cdr_call_legs_total{feed="cdr", leg_type="dial", outcome="answered"`, 6},
	{`cdr_call_legs_total{feed="cdr", leg_type="dial", outcome="failed"`, 2},
	{`cdr_call_legs_total{feed="cdr", leg_type="dial", outcome="none"`, 3},
	{`cdr_call_legs_total{feed="cdr", leg_type="queue", outcome="unknown"`, 1},
	{`cdr_call_legs_total{feed="cdr", leg_type="queue", outcome="failed", direction="inbound"`, 5},
	{`cdr_sessions_total{feed="call_records", result="ok", media="audio"`, 3},
	{`cdr_sessions_total{feed="call_records", result="dropped", media="audio"`, 1},
	{`cdr_media_bypass_calls_total{feed="direct_routing", media_bypass="true"`, 3},
	{`cdr_media_bypass_calls_total{feed="direct_routing", media_bypass="false"`, 1},
	{mediaStreams + `verdict="good"`, 3},
	{mediaStreams + `verdict="poor"`, 1},
	{mediaStreams + `verdict="unclassified"`, 5},
	{`cdr_queue_calls_total{feed="queue_log", queue="support", result="answered"`, 30},
	{`cdr_queue_calls_total{feed="queue_log", queue="support", result="abandoned"`, 8},
	{`cdr_queue_calls_total{feed="queue_log", queue="support", result="timeout"`, 4},
	{`cdr_queue_calls_total{feed="queue_log", queue="support", result="overflowed"`, 2},
	{`cdr_queue_calls_total{feed="queue_log", queue="support", result="other"`, 1},
	{`cdr_queue_wait_seconds_bucket{feed="queue_log", queue="support", result="answered", le="15.0"`, 12},
	{`cdr_queue_wait_seconds_bucket{feed="queue_log", queue="support", result="answered", le="20.0"`, 18},
	{`cdr_queue_wait_seconds_count{feed="queue_log", queue="support", result="answered"`, 25},
	{`cdr_queue_wait_seconds_sum{feed="queue_log", queue="support", result="answered"`, 375},
	{`cdr_queue_wait_seconds_bucket{feed="queue_log", queue="support", result="abandoned", le="5.0"`, 3},
	{`cdr_queue_wait_seconds_bucket{feed="queue_log", queue="support", result="abandoned", le="20.0"`, 6},
}

// kpiValues are what the recorded series must be then, worked out by hand: of the 100 calls a minute of Direct
// Routing 40 were answered, 29 of them by a person, 4 aren't attempts, 26 are faults of which 10 are late, 4 were
// redirected. There are 45 visits a minute: 3 were abandoned within 5 s, and 5 of the answered ones have no duration.
var kpiValues = map[string]string{
	calls + " direct_routing":               "100 / 60",
	answered + " direct_routing":            "40 / 60",
	connected + " direct_routing":           "40 / 60",
	person + " direct_routing":              "29 / 60",
	known + " direct_routing":               "96 / 60",
	attempts + " direct_routing":            "96 / 60",
	effective + " direct_routing":           "66 / 60",
	timely + " direct_routing":              "80 / 60",
	faulty + " direct_routing":              "16 / 60",
	sipOK + " direct_routing":               "40 / 60",
	redirected + " direct_routing":          "4 / 60",
	seerListed + " direct_routing":          "17 / 60",
	isaListed + " direct_routing":           "16 / 60",
	"cdr_asr direct_routing":                "40 / 100",
	"cdr_connected_share pstn":              "3 / 4",
	"cdr_reached_person direct_routing":     "29 / 96",
	"cdr_reached_person pstn":               "3 / 4",
	"cdr_ner direct_routing":                "66 / 96",
	"cdr_fault direct_routing":              "16 / 80",
	"cdr_acd_seconds direct_routing":        "240",
	"cdr_acd_seconds pstn":                  "180",
	"cdr_ser direct_routing":                "40 / 96",
	"cdr_seer direct_routing":               "57 / 96",
	"cdr_isa direct_routing":                "16 / 100",
	"cdr_timely_calls direct_routing":       "84 / 60",
	"cdr_fault_share direct_routing":        "16 / 84",
	"cdr_late direct_routing":               "16 / 100",
	"cdr_failures direct_routing 503":       "12 / 60",
	"cdr_charges pstn":                      "9 / 60",
	"cdr_outbound_seconds pstn":             "540 / 60",
	"cdr_media_bypass_calls direct_routing": "4 / 60",
	"cdr_media_bypass direct_routing":       "3 / 4",
	"cdr_classified_streams call_records":   "4 / 60",
	"cdr_poor_streams call_records":         "1 / 4",
	"cdr_live direct_routing":               "1",
	"cdr_recent_faults direct_routing":      "16 / 64",
	"cdr_recent_connected direct_routing":   "40 / 64",
	"cdr_connected_at direct_routing":       "266400",
	"cdr_leg_attempts cdr":                  "8 / 60",
	"cdr_leg_fault cdr":                     "2 / 8",
	"cdr_outbound_calls pstn":               "5 / 60",
	"cdr_dear_calls pstn":                   "2 / 60",
	"cdr_unanswered_calls pstn":             "7 / 60",
	"cdr_outbound_calls_ever pstn":          "22200",
	"cdr_sessions call_records":             "4 / 60",
	"cdr_failed_sessions call_records":      "1 / 4",
	queueVisits + " queue_log":              "45 / 60",
	queueAnswered + " queue_log":            "30 / 60",
	queueAbandoned + " queue_log":           "8 / 60",
	queueInTime + " queue_log":              "18 / 60",
	queueShort + " queue_log":               "3 / 60",
	"cdr_queue_service_level queue_log":     "18 / 42",
	"cdr_queue_answer_seconds queue_log":    "15",
	"cdr_queue_abandonment queue_log":       "5 / 42",
}

// labelValues are those that a series of the test has.
var labelValues = map[string]string{
	"source": "contoso", "trunk": "sbc.example.com", "direction": "outbound", "currency": "EUR", "country": "DE",
	"media": "audio", "sip_code": "503",
	"result": "dropped", "queue": "support", "number_class": "premium",
}

// kpiTests is dashboards/prometheus/tests/kpis.yaml: every recorded series, after more than
// three days of the same calls, so that every window holds nothing else.
func kpiTests() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, header, "Every recorded series has the value that was worked out by hand.")
	b.WriteString("rule_files: [../recording.yaml, ../alerts.yaml]\nevaluation_interval: 1h\n" +
		"group_eval_order: [cdr-live, cdr-fraud-baselines]\ntests:\n  - name: the " +
		"same calls for days\n    interval: 1m\n    input_series:\n")
	for _, s := range kpiSeries {
		labels := `, source="contoso", trunk="sbc.example.com"}`
		if !strings.Contains(s.series, "direction=") {
			labels = `, source="contoso", trunk="sbc.example.com", direction="outbound"}`
		}
		fmt.Fprintf(&b, "      - {series: '%s%s', values: '0+%dx4500'}\n", s.series, labels, s.perMin)
	}
	for _, feed := range []string{"direct_routing", "pstn"} {
		fmt.Fprintf(&b, "      - {series: 'cdr_exporter_catching_up{source=\"contoso\", feed=%q}', "+
			"values: '0x4500'}\n", feed)
		fmt.Fprintf(&b, "      - {series: 'cdr_exporter_watermark_timestamp_seconds{source=\"contoso\", "+
			"feed=%q}', values: '0+60x4500'}\n", feed)
	}
	for name, value := range sorted(map[string]int{"attempts": 64, "faults": 16, "connected": 40}) {
		fmt.Fprintf(&b, "      - {series: 'cdr_recent_%s{source=\"contoso\", feed=\"direct_routing\", "+
			"trunk=\"sbc.example.com\", direction=\"outbound\"}', values: '%dx4500'}\n", name, value)
	}
	b.WriteString("    promql_expr_test:\n")
	for r := range rulesOf(Default().Recording()...) {
		if strings.HasPrefix(r.Record, "job:") {
			continue // tests/replicas.yaml has it
		}
		if err := writeExpected(&b, r.Record); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// writeExpected writes what one recorded series must be, for each feed that has it.
func writeExpected(b *bytes.Buffer, record string) error {
	prefix, rest, _ := strings.Cut(record, ":")
	name, _, _ := strings.Cut(rest, ":")
	known := false
	for key, value := range sorted(kpiValues) {
		of := strings.Fields(key)
		if of[0] != name {
			continue
		}
		known = true
		labels := fmt.Sprintf("feed=%q", of[1])
		for label, v := range sorted(labelValues) {
			if strings.Contains("_"+prefix+"_", "_"+label+"_") {
				labels += fmt.Sprintf(", %s=%q", label, v)
			}
		}
		// A subtraction tells of a difference, which floats have in their last digits.
		fmt.Fprintf(b, "      - {expr: 'abs(%s{%s} - %s) < bool 1e-9', eval_time: 74h, exp_samples: [{labels: "+
			"'{%s}', value: 1}]}\n", record, labels, value, labels)
	}
	if !known {
		return fmt.Errorf("the tests know no value of %s", record)
	}
	return nil
}
