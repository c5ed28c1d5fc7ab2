// Package otlpsink is an OTLP receiver for tests: logs and metrics over HTTP and gRPC, with or without TLS.
//
// It keeps each log record once, by log.record.uid, in the order in which the records first came, counts repeats, and keeps the newest
// value of every metric point. It fails on demand: with a status, a gRPC code, a partial success, or slowly.
//
//	sink, err := otlpsink.Start(otlpsink.Settings{})
//	defer sink.Close()
//	sink.HTTPURL(), sink.GRPCURL()   // endpoints for otlp.endpoint
//	sink.Fail(otlpsink.Reply{Status: 503, Times: 2})
//	sink.Logs()                      // []Log, distinct, in order of arrival
//	sink.Repeats()                   // how many came again
//	sink.Metric("cdr.calls")         // []Point, newest values
package otlpsink
