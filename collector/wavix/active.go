package wavix

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// activeCallsMetric is the metric of the calls in progress, by direction.
const activeCallsMetric = "cdr_active_calls"

// activeCalls is the feed of the calls in progress. It is for one goroutine.
type activeCalls struct {
	client     *httpclient.Client
	generation *generation
}

// Poll implements collector.Feed. It commits nothing.
func (a *activeCalls) Poll(ctx context.Context, _ collector.LedgerState, sink collector.Sink) error {
	count, err := a.read(ctx)
	if err != nil {
		return err
	}
	gauges := []collector.Gauge{
		gauge(cdr.Inbound, count), gauge(cdr.Outbound, count),
	}
	if count[cdr.DirectionUnknown] > 0 {
		gauges = append(gauges, gauge(cdr.DirectionUnknown, count))
	}
	sink.Gauges(gauges)
	return nil
}

func gauge(d cdr.Direction, count activeCount) collector.Gauge {
	return collector.Gauge{Metric: activeCallsMetric, Labels: []string{d.String()}, Value: float64(count[d])}
}

// probe reads the calls in progress once.
func (a *activeCalls) probe(ctx context.Context) (rows int, err error) {
	count, err := a.read(ctx)
	for _, n := range count {
		rows += n
	}
	return rows, err
}

// activeCount is how many calls are in progress in each direction.
type activeCount map[cdr.Direction]int

func (a *activeCalls) read(ctx context.Context) (count activeCount, err error) {
	newer, older := request(feedActiveCalls, newCalls, nil), request(feedActiveCalls, oldCalls, nil)
	newer.ExpectJSON, older.ExpectJSON = true, true
	decoder := newActiveDecoder()
	err = a.generation.fetch(ctx, a.client, newer, older, func(response *httpclient.Response) error {
		count, err = decoder.decode(response.Body)
		return httpclient.Retryable(err)
	})
	if err != nil {
		return nil, fmt.Errorf("read the calls in progress: %w", withMessage(err))
	}
	return count, nil
}

// activeDecoder reads {success, calls}; older accounts may give the bare list.
type activeDecoder struct {
	input   *Input
	fields  activeFields
	refusal refusal

	hasCalls bool
	count    activeCount
	seen     map[string]bool
}

func newActiveDecoder() *activeDecoder {
	return &activeDecoder{input: NewInput(MaxValue, BodyBuffer)}
}

func (d *activeDecoder) decode(body io.Reader) (activeCount, error) {
	d.input.Reset(body)
	d.refusal, d.hasCalls = refusal{}, false
	d.count, d.seen = activeCount{}, map[string]bool{}
	err := d.envelope()
	if err == nil {
		err = d.input.End()
	}
	if err = d.input.Fault(err); err == nil {
		err = d.refusal.err()
	}
	switch {
	case err != nil:
		return nil, err
	case !d.hasCalls:
		return nil, fmt.Errorf("the answer has no calls, so it is no list of them")
	}
	return d.count, nil
}

func (d *activeDecoder) envelope() error {
	if d.input.JSON.PeekKind() == '[' {
		return d.calls()
	}
	return d.input.Object("the answer is neither an object nor a list", func(name string) error {
		if strings.EqualFold(name, "calls") {
			return d.calls()
		}
		raw, err := d.input.JSON.ReadValue()
		if err == nil {
			d.refusal.member(name, raw)
		}
		return err
	})
}

func (d *activeDecoder) calls() error {
	d.hasCalls = true
	return d.input.Array("the answer's calls are no array", func(raw []byte) error {
		d.call(raw)
		return nil
	})
}

// call counts a call that is in progress. What is no object isn't one.
func (d *activeDecoder) call(raw []byte) {
	if raw[0] != '{' {
		return
	}
	f := &d.fields
	f.parse(raw)
	switch {
	case f.ended || endEvents[f.event]:
		return
	case f.id != "" && d.seen[f.direction+" "+f.id]:
		return // a call between own numbers may have one id in both directions
	}
	d.seen[f.direction+" "+f.id] = true
	switch f.direction {
	case "inbound":
		d.count[cdr.Inbound]++
	case "outbound":
		d.count[cdr.Outbound]++
	default:
		d.count[cdr.DirectionUnknown]++
	}
}

// endEvents are the events after which a call is no longer in progress.
var endEvents = map[string]bool{
	"completed": true, "busy": true, "cancelled": true, "canceled": true, "failed": true, "rejected": true,
}

// activeFields are what matters of a call in progress. Values of another type are as
// good as absent: a call that is listed is in progress unless it says otherwise.
type activeFields struct {
	id, direction, event string
	ended                bool
}

func (f *activeFields) parse(object []byte) {
	*f = activeFields{}
	var older string
	wire.Members(object, func(name, raw []byte) {
		switch strings.ToLower(strings.Trim(string(name), `"`)) {
		case "id":
			f.id = textOf(raw)
		case "uuid":
			older = textOf(raw)
		case "direction":
			f.direction = strings.ToLower(textOf(raw))
		case "event_type":
			f.event = strings.ToLower(textOf(raw))
		case "call_completed", "call_finished", "finished_at", "completed_at":
			f.ended = f.ended || textOf(raw) != ""
		}
	})
	if f.id == "" {
		f.id = older
	}
}

// textOf is a string's content, empty for anything else.
func textOf(raw jsontext.Value) string {
	if raw.Kind() != '"' {
		return ""
	}
	text, _ := jsontext.AppendUnquote(nil, raw) // the error says that something wasn't UTF-8; it has been replaced
	return strings.TrimSpace(string(text))
}
