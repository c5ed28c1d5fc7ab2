// Package otlp sends what was committed to an OTLP endpoint: metrics from the
// same snapshot that the Prometheus endpoint shows, and one log record per call
// record, revision and session from the ledger's outbox.
//
//	metrics.Source ─▶ Producer ─▶ SDK's periodic reader and exporter ─┐
//	                                                                  ├─▶ endpoint
//	commit ─▶ Encoder ─▶ ledger's outbox ─▶ sender ───────────────────┘
//
// An Encoder makes a log record once, under the commit that counts the call, as
// bytes that join into batches. The sender wraps a batch with resource and
// scope, sends it and deletes it from the outbox when the endpoint has answered.
//
// Invariants (counting.md 26, 30): a record leaves the outbox only if the endpoint has
// accepted it, or has refused that very record while it accepted others. A batch is
// deleted before the next one is sent; only while the endpoint accepts nothing of it, single records
// of later ones go before. So delivery is at least once, and log.record.uid, the same on
// every try, identifies a repeat.
//
// When things fail: what isn't about a record (the network, credentials, a wrong
// address, an endpoint that refuses everything) is retried for ever with backoff, and
// shown in the Status. A refused batch is split until the record at fault is alone; that
// one is set aside, counted and logged by its uid. See judgeHTTP and judgeGRPC for which answer
// means what. What the endpoint writes is never repeated in an error or a log, as it
// may quote a record or a header.
package otlp
