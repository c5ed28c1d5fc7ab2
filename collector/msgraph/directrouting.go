package msgraph

import (
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (m *mapper) mapDirectRouting(f *wire.Fields, r *cdr.Record) {
	m.mapCommon(f, r, "correlationId")
	r.Invite = m.optionalInstant(f, "inviteDateTime")
	r.SIPCode, r.SubCode = f.Integer("finalSipCode"), f.Integer("callEndSubReason")
	r.ReasonPhrase = f.Text("finalSipCodePhrase")
	endValid := !r.End.IsZero() && !r.End.Before(r.Start)
	r.Outcome, r.Reason = directRoutingOutcome(f.Bool("successfulCall"), r.SIPCode, r.SubCode, r.Duration, endValid)
	r.FaultDomain = directRoutingFault(r.Outcome, r.SubCode)
	if r.Outcome == cdr.Unknown {
		m.reportUnmapped("finalSipCode", codeText(r.SIPCode)+"/"+codeText(r.SubCode))
	}
	// Outbound, the start is when the SBC's 200 OK came; inbound, when the INVITE went on.
	if r.Direction == cdr.Outbound && r.Outcome == cdr.Answered {
		r.Answer = r.Start
	}
	r.Trunk = label(strings.ToLower(f.Text("trunkFullyQualifiedDomainName")))
	r.MediaBypass = f.Bool("mediaBypassEnabled")
	r.MediaLocation, r.SignalLocation = label(f.Text("mediaPathLocation")), label(f.Text("signalingLocation"))
	if failure := m.optionalInstant(f, "failureDateTime"); !failure.IsZero() {
		r.Extra = append(r.Extra, cdr.Text("failure_date_time", f.Text("failureDateTime"), cdr.Plain))
	}
}

func codeText(code cdr.Int) string {
	if !code.Known {
		return "none"
	}
	return strconv.FormatInt(code.Value, 10)
}
