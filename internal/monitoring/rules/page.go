package rules

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// A page answers what is down, since when, how many calls, why in words, whose it probably is, and whom to call.
// The alert's template queries Prometheus for all that its own value doesn't say.

// ask is the beginning of a block of a template that is there if a query finds something; "." is the first sample.
// A matcher {FROM=""} in the query stands for the selectors of the labels.
func (p *Parameters) ask(query string, labels ...string) string {
	matchers, arguments := make([]string, 0, len(labels)), ""
	for _, l := range p.kept(labels) {
		matchers, arguments = append(matchers, l+"=%q"), arguments+" $labels."+l
	}
	query = strings.ReplaceAll(p.adapt(query).String(), `FROM=""`, strings.Join(matchers, ", "))
	return "{{ with printf `" + query + "`" + arguments + " | query }}{{ with first . }}"
}

const endAsk = "{{ end }}{{ end }}"

// lastAttempts says how many of the last attempts were faults or connected: kind is one of the cdr_recent gauges.
func (p *Parameters) lastAttempts(kind string) string {
	number := func(gauge string) string {
		return p.ask("max(last_over_time("+gauge+"{FROM=\"\"}[5m]))", byDirection...) +
			"{{ . | value | printf \"%.0f\" }}" + endAsk
	}
	return number(kind) + " of the last " + number(metrics.RecentAttempts.Name)
}

// since says when a call last got through, by when its record was read.
func (p *Parameters) since(labels ...string) string {
	return p.ask("max(max_over_time("+connectedAt+"{FROM=\"\"}[12h]))", labels...) +
		"The record of the last call that got through was read at about {{ ((. | value) | toTime).UTC.Format " +
		"\"15:04\" }} UTC. " + endAsk
}

// cause says what most calls failed for within the hour, whose it probably is and whom to call. Series of earlier
// failures, which haven't grown, say nothing of it.
func (p *Parameters) cause(outcomes string, labels ...string) string {
	const unclear = "The records don't say whose it is: look at the status page, and call the carrier."
	domains := []struct{ name, words string }{
		{"sbc", "It is probably your own session border controller or its line: call its operator."},
		{"carrier", "It is probably the carrier's: call the carrier, with what cdr-exporter incident writes."},
		{"provider", "It is probably the provider's service: look at its health page, then open a case with what " +
			"cdr-exporter incident writes."},
		{"policy", "Our own policy, licence or credit refuses: call the administrator of the phone system."},
		{"user", "It looks like what users dial: call the administrator of the number plan."},
	}
	var text strings.Builder
	text.WriteString(p.ask("topk(1, sum by (reason, sip_code, sub_code, fault_domain) "+
		"(increase(cdr_call_failures_total{FROM=\"\", "+outcomes+"}[1h])) > 0)", labels...) +
		"Most often: {{ with label \"reason\" . }}{{ reReplaceAll \"_\" \" \" . }}{{ else }}no reason given{{ end " +
		"}}{{ with label \"sip_code\" . }} (SIP {{ . }}){{ end }}{{ with label \"sub_code\" . }}, Microsoft {{ . " +
		"}}{{ end }}. {{ $whose := label \"fault_domain\" . }}")
	for i, d := range domains {
		text.WriteString("{{ " + map[bool]string{true: "if", false: "else if"}[i == 0] + " eq $whose \"" + d.name +
			"\" }}" + d.words)
	}
	return text.String() + "{{ else }}" + unclear + "{{ end }}{{ end }}{{ else }}" + unclear + "{{ end }}"
}

// dashboardURL leads to a dashboard from three hours before until now, for the source and trunk if the alert has them.
func (p *Parameters) dashboardURL(dashboard string) string {
	return strings.TrimSuffix(p.GrafanaURL, "/") + "/d/cdr-exporter-" + dashboard + "?from={{ with query \"(time() - " +
		"10800) * 1000\" }}{{ . | first | value | printf \"%.0f\" }}{{ end }}&to=now{{ with $labels.source " +
		"}}&var-source={{ . }}{{ end }}{{ with $labels.trunk }}&var-trunk={{ urlquery . }}{{ end }}"
}
