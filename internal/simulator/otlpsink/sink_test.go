package otlpsink

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startSink starts a sink that the test ends.
func startSink(t *testing.T, s Settings) *Sink {
	t.Helper()
	sink, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink
}

// both runs a test with either protocol.
func both(t *testing.T, f func(t *testing.T, sink *Sink, s sender)) {
	t.Run("http", func(t *testing.T) {
		sink := startSink(t, Settings{})
		f(t, sink, httpSender(t, sink, &http.Transport{}, nil, true))
	})
	t.Run("grpc", func(t *testing.T) {
		sink := startSink(t, Settings{})
		f(t, sink, grpcSender(t, sink, insecure.NewCredentials()))
	})
}

func TestLogs(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		for _, batch := range [][]string{{"b", "a"}, {"a", "c"}, {"", ""}} {
			if _, err := s.send("logs", request(batch...)); err != nil {
				t.Fatal(err)
			}
		}
		var order []string
		for i, l := range sink.FeedLogs("contoso", "pstn") {
			order = append(order, l.UID)
			if l.Number != i {
				t.Errorf("record %d has number %d", i, l.Number)
			}
		}
		if !slices.Equal(order, []string{"b", "a", "c", "", ""}) || sink.Repeats() != 1 || sink.Unnamed() != 2 || sink.Distinct() != 3 {
			t.Errorf("records %q, %d repeats, %d unnamed, %d distinct", order, sink.Repeats(), sink.Unnamed(), sink.Distinct())
		}
		if sink.Times()["a"] != 2 || sink.Requests(LogSignal) != 3 || sink.Requests(AnySignal) != 3 {
			t.Errorf("a came %d times, %d requests", sink.Times()["a"], sink.Requests(LogSignal))
		}
		l := sink.Logs()[0]
		changed, _ := l.Attributes["cdr.changed"].([]any)
		if l.Event != "cdr.call" || l.RecordID != "rb" || !l.Time.Equal(time.Unix(1, 0)) || !l.Observed.IsZero() || l.Severity != 9 ||
			l.Body != "a call" || l.TraceID != "0102030405060708090a0b0c0d0e0f10" || l.Scope != "scope" ||
			l.Resource["service.name"] != "cdr-exporter" || l.Attributes["cdr.sip_code"] != int64(486) ||
			l.Attributes["cdr.duration"] != 1.5 || len(changed) != 1 || changed[0] != true {
			t.Errorf("%+v", l)
		}
		if n := len(sink.FeedLogs("contoso", "direct_routing")); n != 0 {
			t.Errorf("%d records of another feed", n)
		}
	})
}

func TestMetrics(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		for _, m := range []proto.Message{counted(3, 1), counted(5, 1), counted(2, 9)} {
			if _, err := s.send("metrics", m); err != nil {
				t.Fatal(err)
			}
		}
		calls := sink.Metric("cdr.calls")
		if len(calls) != 1 || calls[0].Value != 2 || !calls[0].Monotonic || !calls[0].Cumulative || calls[0].Unit != "{call}" ||
			calls[0].Attributes["source"] != "contoso" || calls[0].Start.UnixNano() != 9 {
			t.Errorf("%+v", calls)
		}
		duration := sink.Metric("cdr.call.duration")
		if len(duration) != 1 || duration[0].Count != 2 || duration[0].Sum != 7 || !slices.Equal(duration[0].Buckets, []uint64{1, 2}) {
			t.Errorf("%+v", duration)
		}
		if gauge := sink.Metric("ratio"); len(gauge) != 1 || gauge[0].Value != 0.5 || gauge[0].Kind != Gauge {
			t.Errorf("%+v", gauge)
		}
		// The counter started anew, the histogram just went down.
		if down := sink.Decreased(); !slices.Equal(down, []string{"cdr.call.duration"}) {
			t.Errorf("decreased: %q", down)
		}
	})
}

// TestOvertaken: what arrives after something newer is no decrease, and changes nothing.
func TestOvertaken(t *testing.T) {
	var all store
	all.points = map[string]Point{}
	at := func(seconds int64, count uint64) Point {
		return Point{Name: "cdr.calls", Monotonic: true, Value: float64(count), Count: count, Time: time.Unix(seconds, 0)}
	}
	for _, p := range []Point{at(10, 3), at(30, 9), at(20, 5)} {
		all.keepPoints([]Point{p})
	}
	if got := all.points["cdr.calls"]; got.Count != 9 || len(all.decreased) != 0 {
		t.Errorf("it is %d, decreased: %q", got.Count, all.decreased)
	}
	all.keepPoints([]Point{at(40, 8)})
	if len(all.decreased) != 1 {
		t.Error("a decrease wasn't seen")
	}
}

func TestFailures(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		sink.Fail(Reply{Signal: MetricSignal, Status: 503, Code: codes.Unavailable})
		sink.Fail(Reply{Status: 429, Code: codes.ResourceExhausted, RetryAfter: 1500 * time.Millisecond, Times: 2})
		for range 2 {
			_, err := s.send("logs", request("a"))
			var failed *httpError
			switch {
			case errors.As(err, &failed):
				if failed.status != 429 || failed.retryAfter != "2" {
					t.Errorf("%d, Retry-After %s", failed.status, failed.retryAfter)
				}
			case status.Code(err) == codes.ResourceExhausted:
				info, _ := status.Convert(err).Details()[0].(*errdetails.RetryInfo)
				if info.GetRetryDelay().AsDuration() != 1500*time.Millisecond {
					t.Errorf("retry information %v", info)
				}
			default:
				t.Errorf("no failure: %v", err)
			}
		}
		if sink.Distinct() != 0 {
			t.Error("a refused record was kept")
		}
		for range 3 {
			if _, err := s.send("metrics", counted(1, 1)); err == nil {
				t.Error("metrics are to fail until they are cleared")
			}
		}
		sink.ClearFailures()
		if _, err := s.send("metrics", counted(1, 1)); err != nil {
			t.Error(err)
		}
		if _, err := s.send("logs", request("a")); err != nil || sink.Distinct() != 1 {
			t.Errorf("%v, %d records", err, sink.Distinct())
		}
	})
}

func TestPartialSuccess(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		sink.Fail(Reply{RejectLogs: true, Match: func(l Log) bool { return l.UID == "bad" }, Message: "no"})
		rejected, err := s.send("logs", request("a", "bad", "b"))
		if err != nil || rejected != 1 || sink.Distinct() != 2 {
			t.Errorf("%d rejected, %d kept, %v", rejected, sink.Distinct(), err)
		}
		if rejected, err = s.send("logs", request("c")); err != nil || rejected != 0 {
			t.Errorf("%d rejected where nothing fits, %v", rejected, err)
		}
	})
}

func TestLostAcknowledgement(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		sink.Fail(Reply{Drop: true, Accept: true, Times: 1})
		if _, err := s.send("logs", request("a")); err == nil {
			t.Error("the answer wasn't lost")
		}
		if _, err := s.send("logs", request("a")); err != nil || sink.Distinct() != 1 || sink.Repeats() != 1 {
			t.Errorf("%d kept, %d repeats, %v", sink.Distinct(), sink.Repeats(), err)
		}
	})
}

func TestSlow(t *testing.T) {
	both(t, func(t *testing.T, sink *Sink, s sender) {
		sink.Fail(Reply{Delay: 30 * time.Millisecond, Times: 1})
		begun := time.Now()
		if _, err := s.send("logs", request("a")); err != nil || time.Since(begun) < 30*time.Millisecond || sink.Distinct() != 1 {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

func TestSlowEndsWithTheSink(t *testing.T) {
	sink := startSink(t, Settings{})
	s := grpcSender(t, sink, insecure.NewCredentials())
	sink.Fail(Reply{Delay: time.Hour})
	answered := make(chan error)
	go func() {
		_, err := s.send("logs", request("a"))
		answered <- err
	}()
	for sink.Requests(LogSignal) == 0 {
		// The request is on its way.
		<-time.After(time.Millisecond)
	}
	sink.Close()
	select {
	case err := <-answered:
		if err == nil && sink.Distinct() != 1 {
			t.Error("accepted, but not kept")
		}
	case <-time.After(time.Minute):
		t.Error("the request outlives the sink")
	}
	sink.Close()
}

func TestTLSAndHeaders(t *testing.T) {
	authority, err := simulator.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	sink := startSink(t, Settings{
		TLS:     &tls.Config{Certificates: []tls.Certificate{*leaf}, MinVersion: tls.VersionTLS12},
		Headers: map[string]string{"x-key": "open"},
	})
	trust := &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}
	transport := &http.Transport{TLSClientConfig: trust}
	for name, c := range map[string]struct {
		s  sender
		ok bool
	}{
		"http with the header":    {httpSender(t, sink, transport, http.Header{"X-Key": {"open"}}, false), true},
		"http without the header": {httpSender(t, sink, transport, nil, false), false},
		"grpc with the header":    {grpcSender(t, sink, credentials.NewTLS(trust), "x-key", "open"), true},
		"grpc without the header": {grpcSender(t, sink, credentials.NewTLS(trust)), false},
		"grpc without trust":      {grpcSender(t, sink, credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), "x-key", "open"), false},
	} {
		for _, m := range []struct {
			path    string
			message proto.Message
		}{{"logs", request(name)}, {"metrics", counted(1, 1)}} {
			if _, err := c.s.send(m.path, m.message); (err == nil) != c.ok {
				t.Errorf("%s, %s: %v", name, m.path, err)
			}
		}
	}
	if sink.Distinct() != 2 || len(sink.Logs()) != 2 {
		t.Errorf("%d distinct, %d kept", sink.Distinct(), len(sink.Logs()))
	}
}

func TestBadRequests(t *testing.T) {
	sink := startSink(t, Settings{})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, c := range []struct {
		name, contentType, encoding, body string
		status                            int
	}{
		{"JSON", "application/json", "", "{}", 415},
		{"not protobuf", "application/x-protobuf", "", "\xff\xff", 400},
		{"not gzip", "application/x-protobuf", "gzip", "plain", 400},
	} {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, sink.HTTPURL()+"/v1/logs", bytes.NewBufferString(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Content-Encoding", c.encoding)
		response, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, response.StatusCode, c.status)
		}
	}
}
