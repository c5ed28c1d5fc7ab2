package metrics

// logAttributes are the attributes of log records that say what a label says, by label.
// A test of exporters/otlp compares what is counted of a record with its log record.
var logAttributes = map[string]string{
	"source": "cdr.source", "provider": "cdr.provider", "feed": "cdr.feed",
	"direction": "cdr.direction", "call_type": "cdr.call_type", "outcome": "cdr.outcome", "trunk": "cdr.trunk", "country": "cdr.country",
	"sip_code": "cdr.sip_code", "sub_code": "cdr.sub_code", "reason": "cdr.reason", "fault_domain": "cdr.fault_domain",
	"currency": "cdr.currency", "media_bypass": "cdr.media_bypass",
	"media_location": "cdr.media_location", "signaling_location": "cdr.signaling_location", "result": "cdr.session.result", "queue": "cdr.queue",
}

// LogAttribute is the attribute of log records that says what a label of a metric says; empty if none does.
func LogAttribute(d *Def, label string) string {
	if label == "result" && (d == QueueCalls || d == QueueWait) {
		return "cdr.queue_result"
	}
	return logAttributes[label]
}
