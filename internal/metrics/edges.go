package metrics

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// minuteMicros is how long a minute is in microseconds, in which spans are told.
const minuteMicros = 60e6

// edge is an instant of a minute at which calls connect or end. Both at once are one
// edge: who ends as another begins isn't connected at once with it.
type edge struct {
	at     uint32 // microseconds of the minute
	change int32  // calls that connect less those that end
}

// minute is what connects and ends in one minute over one trunk. It doesn't change.
type minute struct {
	edges []edge // in order, none without a change
	sum   int64  // of all changes
	top   int64  // the most that the changes came to within the minute
}

// newMinute takes over edges that are in order.
func newMinute(edges []edge) *minute {
	m := &minute{edges: edges}
	for i, e := range edges {
		m.sum += int64(e.change)
		if i == 0 || m.sum > m.top {
			m.top = m.sum
		}
	}
	return m
}

// with is a minute with further edges, which are put in order; nil if none are left.
func (m *minute) with(more []edge) *minute {
	slices.SortStableFunc(more, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var old []edge
	if m != nil {
		old = m.edges
	}
	all := make([]edge, 0, len(old)+len(more))
	for len(old) > 0 || len(more) > 0 {
		var next edge
		if len(more) == 0 || len(old) > 0 && old[0].at <= more[0].at {
			next, old = old[0], old[1:]
		} else {
			next, more = more[0], more[1:]
		}
		if last := len(all) - 1; last >= 0 && all[last].at == next.at {
			all[last].change += next.change
			continue
		}
		if last := len(all) - 1; last >= 0 && all[last].change == 0 {
			all = all[:last]
		}
		all = append(all, next)
	}
	if last := len(all) - 1; last >= 0 && all[last].change == 0 {
		all = all[:last]
	}
	if len(all) == 0 {
		return nil
	}
	return newMinute(all)
}

// weight is what a minute counts towards maxEdges.
func (m *minute) weight() int {
	if m == nil {
		return 0
	}
	return minuteWeight + len(m.edges)
}

// append appends the stored form: of each edge how far it is from the one before, and its
// change.
func (m *minute) append(dst []byte) []byte {
	var before uint32
	for _, e := range m.edges {
		dst = binary.AppendUvarint(dst, uint64(e.at-before))
		dst = binary.AppendVarint(dst, int64(e.change))
		before = e.at
	}
	return dst
}

var errMinute = errors.New("a minute of connected calls is damaged: restore a backup of the ledger")

// parseMinute reads the stored form.
func parseMinute(data []byte) (*minute, error) {
	var edges []edge
	var at uint64
	for len(data) > 0 {
		gap, n := binary.Uvarint(data)
		if n <= 0 || gap >= minuteMicros || gap == 0 && len(edges) > 0 {
			return nil, errMinute
		}
		change, k := binary.Varint(data[n:])
		if at += gap; k <= 0 || at >= minuteMicros || change == 0 || int64(int32(change)) != change {
			return nil, errMinute
		}
		edges, data = append(edges, edge{at: uint32(at), change: int32(change)}), data[n+k:]
	}
	if len(edges) == 0 {
		return nil, errMinute
	}
	return newMinute(edges), nil
}
