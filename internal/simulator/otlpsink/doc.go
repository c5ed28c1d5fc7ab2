// Package otlpsink is an OTLP endpoint for tests, over HTTP and gRPC on one port. It keeps the
// distinct log records by their log.record.uid and the newest value of each metric point, and
// answers with failures on demand.
//
//	sink, err := otlpsink.Start(otlpsink.Settings{})
//	defer sink.Close()
//	sink.URL() // for otlp.endpoint
//	sink.Fail(otlpsink.Reply{Status: 503, Times: 2})
//	sink.Logs(), sink.Repeats(), sink.Metrics()
package otlpsink
