// Package otlp sends what was committed to an OTLP endpoint. Metrics come from the same snapshot as
// the Prometheus endpoint's. Log records, one per call record, revision and session, come from the
// ledger's outbox.
//
//	metrics.Source ─▶ Producer ─▶ SDK's periodic reader and exporter ─┐
//	                                                                  ├─▶ endpoint
//	commit ─▶ Encoder ─▶ ledger's outbox ─▶ sender ───────────────────┘
//
// An Encoder makes a log record once, within the commit that counts the call, as bytes that can be
// joined into batches. The sender wraps a batch in resource and scope, sends it and deletes it from
// the outbox when the endpoint has answered.
//
// Invariants (counting.md 26, 30): a record leaves the outbox only if the endpoint has accepted it,
// or has refused that very record while it accepted others. A batch is deleted before the next one
// is sent. Only while the endpoint accepts nothing of a batch does the sender send single records
// of later batches first. So delivery is at least once, and log.record.uid, the same on every try,
// identifies a repeat.
//
// Errors: a fault that isn't about a record (the network, credentials, a wrong address, an endpoint
// that refuses everything) is retried for ever with backoff, and shown in the Status. A refused
// batch is split until the record at fault is alone. That record is set aside, counted and logged
// by its uid. judgeHTTP and judgeGRPC say what each answer means. No error or log repeats the
// endpoint's text, which may quote a record or a header.
package otlp
