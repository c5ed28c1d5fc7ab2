package wavix

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// readActive implements collector.ActiveCalls. There is one page.
func (g *versionedClient) readActive(ctx context.Context, _ bool) (count map[cdr.Direction]int, err error) {
	err = g.fetch(ctx, []string{newCalls, oldCalls}, nil, nil, func(body []byte) error {
		count, err = decodeActive(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the calls in progress: %w", err)
	}
	return count, nil
}

// decodeActive reads {success, calls}; older accounts may return the bare list.
func decodeActive(content []byte) (map[cdr.Direction]int, error) {
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("[")) {
		content = slices.Concat([]byte(`{"calls":`), content, []byte("}"))
	}
	hasCalls, count, seen := false, map[cdr.Direction]int{}, map[string]bool{}
	err := readEnvelope(content, "the answer is neither an object nor a list",
		func(in *wire.Input, name string) (bool, error) {
			if name != "calls" {
				return false, nil
			}
			hasCalls = true
			return true, in.Array("the answer's calls aren't an array", func(raw []byte) error {
				if direction, key := inProgress(raw); key != "" && !seen[key] {
					count[direction]++
					seen[key] = key[len(key)-1] != ' ' // without an id, each row is a call
				}
				return nil
			})
		})
	if err == nil && !hasCalls {
		err = errors.New("the answer has no member calls")
	}
	return count, err
}

// inProgress is the direction of a call in progress, and a key that ends with its id; both are
// empty for another call. Values of another type count as absent: a listed call is in progress
// unless it says otherwise.
func inProgress(raw []byte) (direction cdr.Direction, key string) {
	call := newValues()
	if call.parse(raw); call.Problem != "" {
		return cdr.DirectionUnknown, ""
	}
	text := func(names ...string) string {
		for _, name := range names {
			if text := strings.TrimSpace(call.Text(name)); text != "" {
				return strings.ToLower(text)
			}
		}
		return ""
	}
	if text("call_completed", "call_finished", "finished_at", "completed_at") != "" || endEvents[text("event_type")] {
		return cdr.DirectionUnknown, ""
	}
	switch text("direction") {
	case "inbound":
		direction = cdr.Inbound
	case "outbound":
		direction = cdr.Outbound
	}
	// A call between own numbers may have the same id in both directions.
	return direction, text("direction") + " " + text("id", "uuid")
}

// endEvents are the events that end a call.
var endEvents = map[string]bool{
	"completed": true, "busy": true, "cancelled": true, "canceled": true, "failed": true, "rejected": true,
}
