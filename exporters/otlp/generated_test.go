package otlp

import (
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// attributeOf is a record's attribute by key, nil if it has none.
func attributeOf(r *logspb.LogRecord, key string) *commonpb.AnyValue {
	for _, kv := range r.GetAttributes() {
		if kv.GetKey() == key {
			return kv.GetValue()
		}
	}
	return nil
}

// attributes builds the generated types in the plain way.
type attributes []*commonpb.KeyValue

func (a *attributes) add(key string, v *commonpb.AnyValue) {
	*a = append(*a, &commonpb.KeyValue{Key: key, Value: v})
}

func anyText(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
}

func anyInteger(n int64) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}
}

func anyTruth(b bool) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: b}}
}

func anyTexts(all []string) *commonpb.AnyValue {
	list := &commonpb.ArrayValue{}
	for _, s := range all {
		list.Values = append(list.Values, anyText(s))
	}
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: list}}
}

func (a *attributes) text(key, value string) {
	if value != "" {
		a.add(key, anyText(value))
	}
}

func (a *attributes) time(key string, at time.Time) {
	if !at.IsZero() {
		a.add(key, anyText(at.UTC().Format(time.RFC3339Nano)))
	}
}

func (a *attributes) known(key string, n cdr.Int) {
	if n.Known {
		a.add(key, anyInteger(n.Value))
	}
}

// generated makes a log record with the generated types: what the encoder must
// equal, and what its speed is compared with.
func generated(r *cdr.Record, event *counting.Event) *logspb.LogRecord {
	uid, trace := event.UID(""), event.TraceID(r.CallID)
	var a attributes
	a.text("log.record.uid", string(uid[:]))
	a.text("cdr.record.id", event.RecordID)
	a.add("cdr.record.version", anyInteger(event.Version))
	if len(event.Changed) > 0 {
		a.add("cdr.changed", anyTexts(event.Changed))
	}
	a.text("cdr.call.id", r.CallID)
	a.text("cdr.source", event.Source)
	a.text("cdr.provider", event.Provider)
	a.text("cdr.feed", event.Feed)
	a.text("cdr.direction", r.Direction.String())
	a.text("cdr.call_type", r.CallType)
	a.text("cdr.outcome", r.Outcome.String())
	a.time("cdr.invite_time", r.Invite)
	a.time("cdr.start_time", r.Start)
	a.time("cdr.answer_time", r.Answer)
	a.time("cdr.end_time", r.End)
	a.add("cdr.duration", &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: r.Duration.Seconds()}})
	a.text("cdr.trunk", r.Trunk)
	a.text("cdr.country", r.Country)
	a.text("cdr.emergency", map[cdr.Emergency]string{cdr.EmergencyReal: "real", cdr.EmergencyTest: "test"}[r.Emergency])
	a.text("cdr.caller.number", r.CallerNumber)
	a.text("cdr.callee.number", r.CalleeNumber)
	a.text("cdr.user.id", r.UserID)
	a.text("cdr.user.name", r.UserName)
	a.text("cdr."+event.Provider+".user_principal_name", r.UserPrincipal)
	a.known("cdr.sip_code", r.SIPCode)
	a.known("cdr.sub_code", r.SubCode)
	a.text("cdr.reason", r.Reason)
	a.text("cdr.reason_phrase", r.ReasonPhrase)
	if !r.Outcome.Connected() {
		a.text("cdr.fault_domain", r.Fault().String())
	}
	a.charges(r, event.Provider)
	if r.MediaBypass.Known() {
		a.add("cdr.media_bypass", anyTruth(r.MediaBypass == cdr.True))
	}
	a.text("cdr.media_location", r.MediaLocation)
	a.text("cdr.signaling_location", r.SignalLocation)
	if len(r.Recordings) == 1 {
		a.text("cdr.recording.id", r.Recordings[0].ID)
	}
	if len(r.Legs) > 0 {
		a.add("cdr.legs", anyInteger(int64(len(r.Legs))))
	}
	a.extra(r.Extra, event.Provider)
	number, text := severityOf(r.Outcome)
	return &logspb.LogRecord{
		TimeUnixNano: uint64(r.Start.UnixNano()), ObservedTimeUnixNano: uint64(event.Observed.UnixNano()),
		SeverityNumber: number, SeverityText: text, Body: anyText(string(appendLine(nil, r, event))),
		Attributes: a, TraceId: trace[:], EventName: event.Name,
	}
}

// generatedSession makes a session's log record with the generated types.
func generatedSession(r *cdr.Record, event *counting.Event) *logspb.LogRecord {
	s := event.Session
	uid, trace := event.UID(s.ID), event.TraceID(r.CallID)
	var a attributes
	a.text("log.record.uid", string(uid[:]))
	a.text("cdr.record.id", event.RecordID)
	a.add("cdr.record.version", anyInteger(event.Version))
	a.text("cdr.call.id", r.CallID)
	a.text("cdr.source", event.Source)
	a.text("cdr.provider", event.Provider)
	a.text("cdr.feed", event.Feed)
	a.text("cdr.session.id", s.ID)
	a.text("cdr.session.result", s.Result.String())
	a.time("cdr.start_time", s.Start)
	a.time("cdr.end_time", s.End)
	a.text("cdr.callee.number", s.Number)
	a.text("cdr.user.id", s.UserID)
	a.text("cdr.user.name", s.UserName)
	a.text("cdr."+event.Provider+".user_principal_name", s.UserPrincipal)
	a.text("cdr.reason", s.Reason)
	a.text("cdr."+event.Provider+".stage", s.Stage)
	a.text("cdr."+event.Provider+".media", s.Media)
	a.extra(s.Extra, event.Provider)
	number, text := logspb.SeverityNumber_SEVERITY_NUMBER_INFO, "INFO"
	if s.Result != cdr.SessionOK {
		number, text = logspb.SeverityNumber_SEVERITY_NUMBER_ERROR, "ERROR"
	}
	return &logspb.LogRecord{
		TimeUnixNano: uint64(s.Start.UnixNano()), ObservedTimeUnixNano: uint64(event.Observed.UnixNano()),
		SeverityNumber: number, SeverityText: text, Body: anyText(string(appendSessionLine(nil, s))),
		Attributes: a, TraceId: trace[:], EventName: event.Name,
	}
}

func (a *attributes) charges(r *cdr.Record, provider string) {
	if len(r.Charges) == 0 {
		return
	}
	amount, currency, shown := mainCharge(r.Charges)
	a.text("cdr.charge", amount.String())
	a.add("cdr.charge_amount", &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: amount.Float()}})
	a.text("cdr.currency", currency)
	for i := range r.Charges {
		if i != shown {
			a.text("cdr."+provider+"."+r.Charges[i].Component+"_charge", r.Charges[i].Amount.String())
		}
	}
}

func (a *attributes) extra(extra []cdr.Attr, provider string) {
	for _, e := range extra {
		key := "cdr." + provider + "." + e.Key
		switch e.Type {
		case cdr.StringAttr:
			a.text(key, e.Str)
		case cdr.IntAttr:
			a.add(key, anyInteger(e.Int))
		case cdr.BoolAttr:
			a.add(key, anyTruth(e.Int != 0))
		case cdr.StringsAttr:
			if len(e.Strs) > 0 {
				a.add(key, anyTexts(e.Strs))
			}
		}
	}
}

func severityOf(o cdr.Outcome) (logspb.SeverityNumber, string) {
	switch o {
	case cdr.Failed:
		return logspb.SeverityNumber_SEVERITY_NUMBER_ERROR, "ERROR"
	case cdr.Rejected, cdr.InvalidNumber, cdr.NotAllowed:
		return logspb.SeverityNumber_SEVERITY_NUMBER_WARN, "WARN"
	default:
		return logspb.SeverityNumber_SEVERITY_NUMBER_INFO, "INFO"
	}
}
