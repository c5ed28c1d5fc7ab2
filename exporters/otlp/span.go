package otlp

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// The field numbers of opentelemetry/proto/trace/v1, 1.11. The fields around a span have the same
// numbers as around a log record.
const (
	spanTraceID, spanSpanID, spanParent, spanName, spanKind          = 1, 2, 4, 5, 6
	spanStart, spanEnd, spanAttributes, spanLinks, spanStatus        = 7, 8, 9, 13, 15
	linkTraceID, linkSpanID, statusMessage, statusCode               = 1, 2, 2, 3
	kindInternal, codeError                                   uint64 = 1, 2
)

// earliestChild is the longest plausible time from the start of a call's part to the call's start.
const earliestChild = 24 * time.Hour

var _ ledger.SpanEncoder = Encoder{}

// child is a part of a call that has a span.
type child struct {
	cdr.Interval

	name string
	// kind and id distinguish its span id within the call. For a session or visit, kind is the
	// event name of its log record.
	kind, id string
	failed   bool
	// The child is a leg, a session or a visit; if all are nil, it is a phase of the call.
	leg     *cdr.Leg
	session *cdr.Session
	visit   *cdr.Visit
}

// AppendSpans implements ledger.SpanEncoder. It appends the root span of a call, which must be
// redacted, and its children as `spans` fields of opentelemetry.proto.trace.v1.ScopeSpans. The root
// has the attributes of the call's log record; sessions and visits have their log records' attributes.
// The root covers its children.
func (Encoder) AppendSpans(batch []byte, ends []int, r *cdr.Record, s *counting.Span) ([]byte, []int) {
	children, whole := childrenOf(r)
	event := &s.Event
	trace, root := event.TraceID(r.CallID), event.SpanID(counting.EventCall, "")
	batch = appendMessage(batch, scopeLogsRecords, func(b []byte) []byte {
		b = appendString(b, spanTraceID, trace[:])
		b = appendString(b, spanSpanID, root[:])
		b = appendSpan(b, directionPhrases[r.Direction], whole)
		b = appendAttributesAs(b, spanAttributes, func(b []byte) []byte { return appendAttributes(b, r, event) })
		b = appendLink(b, r, event, s.Link)
		return appendStatus(b, r.Outcome == cdr.Failed, r.Reason)
	})
	ends = append(ends, len(batch))
	for i := range children {
		c := &children[i]
		id := event.SpanID(c.kind, c.id)
		batch = appendMessage(batch, scopeLogsRecords, func(b []byte) []byte {
			b = appendString(b, spanTraceID, trace[:])
			b = appendString(b, spanSpanID, id[:])
			b = appendString(b, spanParent, root[:])
			b = appendSpan(b, c.name, c.Interval)
			b = appendAttributesAs(b, spanAttributes, func(b []byte) []byte { return c.appendAttributes(b, r, event) })
			return appendStatus(b, c.failed, "")
		})
		ends = append(ends, len(batch))
	}
	return batch, ends
}

// appendSpan appends what every span has in addition to its ids.
func appendSpan(b []byte, name string, at cdr.Interval) []byte {
	b = appendString(b, spanName, name)
	b = protowire.AppendVarint(protowire.AppendTag(b, spanKind, protowire.VarintType), kindInternal)
	return appendUnixNano(appendUnixNano(b, spanStart, at.From), spanEnd, at.To)
}

// appendLink appends a link to the root span of another record of the call, if there is one.
func appendLink(b []byte, r *cdr.Record, event *counting.Event, link counting.Link) []byte {
	if link.Feed == "" {
		return b
	}
	other := counting.Event{
		Source: event.Source, Provider: event.Provider, Feed: link.Feed,
		RecordID: link.RecordID,
	}
	trace, id := other.TraceID(r.CallID), other.SpanID(counting.EventCall, "")
	return appendMessage(b, spanLinks, func(b []byte) []byte {
		return appendString(appendString(b, linkTraceID, trace[:]), linkSpanID, id[:])
	})
}

// appendStatus appends an error; other results have no status.
func appendStatus(b []byte, failed bool, message string) []byte {
	if !failed {
		return b
	}
	return appendMessage(b, spanStatus, func(b []byte) []byte {
		if message != "" {
			b = appendString(b, statusMessage, validText(message))
		}
		return protowire.AppendVarint(protowire.AppendTag(b, statusCode, protowire.VarintType), codeError)
	})
}

func (c *child) appendAttributes(b []byte, r *cdr.Record, event *counting.Event) []byte {
	part := *event
	part.Name, part.Version, part.Session, part.Visit = c.kind, 1, c.session, c.visit // as in its one log record
	switch {
	case c.session != nil:
		return appendSession(b, r, &part)
	case c.visit != nil:
		return appendVisit(b, r, &part)
	case c.leg != nil:
		return appendPairs(b, "cdr.leg_type", c.leg.Type, "cdr.outcome", c.leg.Outcome.String())
	}
	return b
}

// childrenOf are the parts of a call whose times the provider gives, and the interval of the call
// and all of them.
func childrenOf(r *cdr.Record) (all []child, whole cdr.Interval) {
	call := callTimes(r)
	whole = call
	add := func(c child) {
		c.Interval = believed(c.Interval, call)
		if c.From.Before(whole.From) {
			whole.From = c.From
		}
		if c.To.After(whole.To) {
			whole.To = c.To
		}
		all = append(all, c)
	}
	if answer := answered(r); !answer.IsZero() && !answer.Before(call.From) && !answer.After(call.To) {
		add(child{name: "Set-up", kind: "set_up", Interval: cdr.Interval{From: call.From, To: answer}})
		add(child{name: "Talk", kind: "talk", Interval: cdr.Interval{From: answer, To: call.To}})
	}
	for i := range r.Legs {
		if r.LegsAreSessions() {
			break // each leg has a span
		}
		if l := &r.Legs[i]; !l.Start.IsZero() {
			add(child{
				name: "Leg", kind: "leg", id: strconv.Itoa(i), leg: l, failed: l.Outcome == cdr.Failed,
				Interval: cdr.Interval{From: l.Start, To: l.Start.Add(l.Duration.Value)},
			})
		}
	}
	for i := range r.Sessions {
		s := &r.Sessions[i]
		add(child{
			name: "Session", kind: counting.EventSession, id: s.ID, session: s,
			Interval: cdr.Interval{From: s.Start, To: s.End},
		})
	}
	for i := range r.Visits {
		v := &r.Visits[i]
		start := visitStart(r, v)
		add(child{
			name: "Queue", kind: counting.EventVisit, id: v.ID, visit: v,
			Interval: cdr.Interval{From: start, To: start.Add(v.Wait.Value)},
		})
	}
	return all, whole
}

// callTimes is from a call's invite, or else its start, to its end.
func callTimes(r *cdr.Record) cdr.Interval {
	i := cdr.Interval{From: r.Start, To: r.End}
	if !i.To.After(r.Start) || i.To.Sub(r.Start) > cdr.LongestCall {
		i.To = r.Start
		if r.Answer.After(r.Start) && r.Answer.Sub(r.Start) <= earliestChild {
			i.To = r.Answer
		}
		i.To = i.To.Add(r.Duration)
	}
	if r.Invite.Before(r.Start) && r.Start.Sub(r.Invite) <= earliestChild {
		i.From = r.Invite
	}
	return i
}

// believed is the interval of a part of a call. If it begins far from its call, its time is wrong
// and is replaced by the call's start. A part without an end has no length.
func believed(part, call cdr.Interval) cdr.Interval {
	if part.From.Before(call.From.Add(-earliestChild)) || part.From.After(call.From.Add(cdr.LongestCall)) {
		part.From = call.From
	}
	if part.To.Before(part.From) || part.To.Sub(part.From) > cdr.LongestCall {
		part.To = part.From
	}
	return part
}

// answered is when a connected call was answered; zero if unknown.
func answered(r *cdr.Record) time.Time {
	switch _, known := r.Setup(); {
	case !r.Outcome.Connected():
		return time.Time{}
	case r.Answer.IsZero() && known:
		return r.Start
	}
	return r.Answer
}
