package wavix

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// activeCalls is the feed of the calls in progress. It is for one goroutine.
type activeCalls struct {
	client *httpclient.Client
	paths  *generation
}

// Poll implements collector.Feed. It commits nothing.
func (a *activeCalls) Poll(ctx context.Context, _ collector.LedgerState, sink collector.Sink) error {
	count, err := a.read(ctx)
	if err != nil {
		return err
	}
	var gauges []collector.Gauge
	for _, d := range []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.DirectionUnknown} {
		if d != cdr.DirectionUnknown || count[d] > 0 {
			gauges = append(gauges, collector.Gauge{Metric: "cdr_active_calls", Labels: []string{d.String()}, Value: float64(count[d])})
		}
	}
	sink.Gauges(gauges)
	return nil
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
	err = a.paths.fetch(ctx, a.client, feedActiveCalls, []string{newCalls, oldCalls}, nil, nil, func(body []byte) error {
		count, err = decodeActive(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the calls in progress: %w", err)
	}
	return count, nil
}

// decodeActive reads {success, calls}; older accounts may give the bare list.
func decodeActive(body []byte) (activeCount, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		body = slices.Concat([]byte(`{"calls":`), body, []byte("}"))
	}
	hasCalls, count, seen := false, activeCount{}, map[string]bool{}
	err := readEnvelope(body, "the answer is neither an object nor a list", func(in *wire.Input, name string) (bool, error) {
		if !strings.EqualFold(name, "calls") {
			return false, nil
		}
		hasCalls = true
		return true, in.Array("the answer's calls are no array", func(raw []byte) error {
			count.add(raw, seen)
			return nil
		})
	})
	if err == nil && !hasCalls {
		err = errors.New("the answer has no calls, so it is no list of them")
	}
	return count, err
}

// activeCall is what matters of a call in progress. Values of another type are as
// good as absent: a call that is listed is in progress unless it says otherwise.
type activeCall struct {
	ID          cell `json:"id"`
	UUID        cell `json:"uuid"`
	Direction   cell `json:"direction"`
	Event       cell `json:"event_type"`
	Completed   cell `json:"call_completed"`
	Finished    cell `json:"call_finished"`
	FinishedAt  cell `json:"finished_at"`
	CompletedAt cell `json:"completed_at"`
}

// add counts a call that is in progress, once. What is no object isn't one.
func (count activeCount) add(raw []byte, seen map[string]bool) {
	var c activeCall
	if raw[0] != '{' || json.Unmarshal(raw, &c, rowOptions) != nil {
		return
	}
	text := func(c cell) string {
		if c.kind != '"' {
			return ""
		}
		return strings.ToLower(strings.TrimSpace(c.text))
	}
	if cmp.Or(text(c.Completed), text(c.Finished), text(c.FinishedAt), text(c.CompletedAt)) != "" || endEvents[text(c.Event)] {
		return
	}
	// A call between own numbers may have one id in both directions.
	id := cmp.Or(text(c.ID), text(c.UUID))
	key := text(c.Direction) + " " + id
	if id != "" && seen[key] {
		return
	}
	seen[key] = true
	switch text(c.Direction) {
	case "inbound":
		count[cdr.Inbound]++
	case "outbound":
		count[cdr.Outbound]++
	default:
		count[cdr.DirectionUnknown]++
	}
}

// endEvents are the events after which a call is no longer in progress.
var endEvents = map[string]bool{
	"completed": true, "busy": true, "cancelled": true, "canceled": true, "failed": true, "rejected": true,
}
