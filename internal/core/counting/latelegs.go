package counting

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// countedCall is what is remembered of a call that was counted: what a late leg needs.
type countedCall struct {
	legs    []cdr.Leg // IDs, parents and channels are hashes; no users
	began   time.Time
	outcome cdr.Outcome // as counted, or as it last changed
	talked  bool        // its talk time is counted
	ignored bool        // it began before the feed's origin and isn't counted
	late    bool        // it was late when it was counted
	grown   bool        // legs came after it was counted
	changed bool        // they changed its outcome
	// The labels that it was counted with.
	direction                cdr.Direction
	callType, trunk, country string
	labels                   cdr.Labels
	// times are how long it was connected and how long it occupied each trunk, as counted. A later
	// version of a leg may be shorter, and the next one longer again.
	times []countedTime
}

// countedTime is how long a call occupied a trunk in a direction; without a trunk, how long it was connected.
type countedTime struct {
	trunk     string
	direction cdr.Direction
	length    time.Duration
}

// raise sets each counted time to the time of the call if that is longer, and passes on by how much it grew. A late
// leg may turn the direction in which a call occupies a trunk; what is counted of the trunk isn't counted again.
func (c *countedCall) raise(call *calls.Call, grew func(trunk string, direction cdr.Direction, by time.Duration)) {
	to := func(trunk string, direction cdr.Direction, connected []cdr.Interval) {
		at := slices.IndexFunc(c.times, func(t countedTime) bool {
			return t.trunk == trunk && t.direction == direction
		})
		if at < 0 {
			at, c.times = len(c.times), append(c.times, countedTime{trunk: trunk, direction: direction})
		}
		by := calls.Length(connected) - c.times[at].length
		if trunk != "" {
			by = min(by, occupied(call, trunk)-c.counted(trunk))
		}
		if by > 0 {
			c.times[at].length += by
			grew(trunk, direction, by)
		}
	}
	to("", 0, call.Connected)
	for i := range call.Trunks {
		t := &call.Trunks[i]
		to(t.Trunk, t.Direction, t.Connected)
	}
}

// occupied is how long a call occupies a trunk in both directions, counted how much of that is counted.
func occupied(call *calls.Call, trunk string) (sum time.Duration) {
	for i := range call.Trunks {
		if t := &call.Trunks[i]; t.Trunk == trunk {
			sum += calls.Length(t.Connected)
		}
	}
	return sum
}

func (c *countedCall) counted(trunk string) (sum time.Duration) {
	for _, t := range c.times {
		if t.trunk == trunk {
			sum += t.length
		}
	}
	return sum
}

// The flags of a call's row.
const (
	callTalked = 1 << iota
	callIgnored
	callLate
	callGrown
	callChanged
)

// keepCall remembers a call that was counted.
func (d *Decision) keepCall(key Hash, c *countedCall) {
	at := Place{d.factBucket(c.began), d.hasher.pair(kindCounted, key, dayOf(c.began))}
	d.keepState(d.newState(at), func(dst []byte) []byte { return c.append(dst, d.hasher) })
}

// findCountedCall finds the call under a key that was counted and that a leg with this start belongs
// to, and where it is remembered; nil if there is none. That is a call that began up to two days
// before the leg, otherwise the next one after it.
func (d *Decision) findCountedCall(key Hash, start time.Time) (found *storedState, call *countedCall) {
	const days = int64(calls.Longest / daySpan)
	nearest := 2*calls.Longest + 1
	for day := dayOf(start) - days; day <= dayOf(start)+days; day++ {
		st := d.states[d.hasher.pair(kindCounted, key, day)]
		if st == nil {
			continue
		}
		c := new(countedCall)
		if d.failed(c.parse(st.Data)) {
			return nil, nil
		}
		apart := start.Sub(c.began)
		if apart.Abs() > calls.Longest {
			continue
		}
		if apart < 0 {
			apart = calls.Longest - apart
		}
		if apart < nearest {
			found, call, nearest = st, c, apart
		}
	}
	return found, call
}

// addLateLeg counts a leg that came after its call was counted, or a later version of one: the
// connected time that it adds, talk time if the call had none, and the outcome if that changed.
// Labels and failures stay.
func (d *Decision) addLateLeg(st *storedState, c *countedCall, leg *waitingLeg) {
	if leg.Open {
		return
	}
	was, before := calls.Of(c.legs), c.append(nil, nil)
	c.replaceLegs(compactLegs(leg.Legs, d.hasher))
	if bytes.Equal(c.append(nil, nil), before) {
		return // another price, for example
	}
	now := calls.Of(c.legs)
	c.grown = true
	if c.ignored {
		d.keepState(st, func(dst []byte) []byte { return c.append(dst, nil) })
		return
	}
	r := &cdr.Record{
		Start: c.began, Direction: c.direction, CallType: c.callType, Trunk: c.trunk, Country: c.country,
		Labels: c.labels,
	}
	c.raise(&now, func(trunk string, direction cdr.Direction, by time.Duration) {
		if trunk == "" {
			d.note(facts.Fact{Kind: facts.Connected, Record: r, Time: by})
		} else {
			d.note(facts.OnTrunk(r, trunk, direction, by))
		}
	})
	if len(now.Talk) > 0 && !c.talked {
		c.talked = true
		d.note(facts.Fact{Kind: facts.Talk, Record: r, Time: calls.Length(now.Talk)})
	}
	// Legs that ended alike are in the order of their ids, which are hashes by now.
	if now.Outcome != c.outcome && now.Outcome != was.Outcome {
		d.note(facts.Fact{Kind: facts.OutcomeChange, Record: r, From: c.outcome, To: now.Outcome})
		c.outcome, c.changed = now.Outcome, true
	}
	d.addTrunkEdges(&was, -1)
	d.addTrunkEdges(&now, 1)
	d.keepState(st, func(dst []byte) []byte { return c.append(dst, nil) })
	d.logLeg(leg)
}

// replaceLegs replaces the legs that a record's earlier version gave. The leg on a second trunk has the id of its
// record and comes after the record's own leg.
func (c *countedCall) replaceLegs(legs []cdr.Leg) {
	next := make(map[string]int)
	for _, l := range legs {
		at := next[l.ID]
		for at < len(c.legs) && c.legs[at].ID != l.ID {
			at++
		}
		if at == len(c.legs) {
			c.legs = append(c.legs, l)
		}
		c.legs[at], next[l.ID] = l, at+1
	}
}

// compactLegs are legs as they are remembered: ids and parents as keyed hashes, without users.
func compactLegs(legs []cdr.Leg, h *Hasher) []cdr.Leg {
	hashed := func(id string) string {
		if id == "" {
			return ""
		}
		return string(binary.BigEndian.AppendUint64(nil, uint64(h.RecordHash(id))))
	}
	all := slices.Clone(legs)
	for i := range all {
		l := &all[i]
		l.ID, l.Parent = hashed(l.ID), hashed(l.Parent)
		for k, id := range l.AltIDs {
			if k == 0 {
				l.AltIDs = slices.Clone(l.AltIDs)
			}
			l.AltIDs[k] = hashed(id)
		}
		l.UserID, l.UserName, l.UserPrincipal, l.Type, l.Whole, l.Emergency = "", "", "", "", false, 0
	}
	return all
}

// append appends the stored form. h makes hashes of ids that aren't hashes yet; nil: all are.
func (c *countedCall) append(dst []byte, h *Hasher) []byte {
	legs := c.legs
	if h != nil {
		legs = compactLegs(legs, h)
	}
	var flags byte
	for i, is := range [...]bool{c.talked, c.ignored, c.late, c.grown, c.changed} { // in the order of the flags
		flags |= boolByte(is) << i
	}
	dst = append(dst, rowCall, flags, byte(c.outcome), byte(c.direction))
	for _, text := range [...]string{c.callType, c.trunk, c.country, string(c.labels)} {
		dst = pack.AppendText(dst, text)
	}
	dst = binary.AppendUvarint(dst, uint64(len(c.times)))
	for _, t := range c.times {
		dst = append(pack.AppendText(dst, t.trunk), byte(t.direction))
		dst = binary.AppendUvarint(dst, uint64(t.length.Microseconds()))
	}
	began := c.began.UnixMicro()
	dst = binary.AppendVarint(dst, began)
	dst = binary.AppendUvarint(dst, uint64(len(legs)))
	since := func(at time.Time) {
		if at.IsZero() {
			dst = append(dst, 0)
			return
		}
		dst = binary.AppendVarint(append(dst, 1), at.UnixMicro()-began)
	}
	length := func(s cdr.Length) {
		if !s.Known {
			dst = append(dst, 0)
			return
		}
		dst = binary.AppendVarint(append(dst, 1), s.Value.Microseconds())
	}
	for i := range legs {
		l := &legs[i]
		dst = pack.AppendText(pack.AppendText(dst, l.ID), l.Parent)
		dst = binary.AppendUvarint(dst, uint64(len(l.AltIDs)))
		for _, id := range l.AltIDs {
			dst = pack.AppendText(dst, id)
		}
		dst = append(dst, byte(l.Party), byte(l.Outcome), boolByte(l.NoOutcome), byte(l.Direction))
		dst = pack.AppendText(pack.AppendText(dst, l.Trunk), l.Channel)
		since(l.Start)
		since(l.Answer)
		since(l.End)
		length(l.Ringing)
		length(l.Duration)
	}
	return dst
}

// parse reads the stored form.
func (c *countedCall) parse(data []byte) error {
	if len(data) < 4 || data[0] != rowCall || data[1] >= callChanged<<1 || int(data[2]) >= len(cdr.Outcomes()) {
		return ErrRow
	}
	r := pack.Reader{Data: data[4:]}
	*c = countedCall{
		talked: data[1]&callTalked != 0, ignored: data[1]&callIgnored != 0, late: data[1]&callLate != 0,
		grown: data[1]&callGrown != 0, changed: data[1]&callChanged != 0,
		outcome: cdr.Outcome(data[2]), direction: cdr.Direction(data[3]),
	}
	c.callType, c.trunk, c.country, c.labels = r.Text(), r.Text(), r.Text(), cdr.Labels(r.Text())
	for range min(r.Uvarint(), uint64(len(r.Data))) {
		t := countedTime{trunk: r.Text(), direction: cdr.Direction(r.Number(1))}
		t.length = time.Duration(r.Uvarint()) * time.Microsecond
		c.times = append(c.times, t)
	}
	began := r.Varint()
	c.began = time.UnixMicro(began).UTC()
	n := r.Uvarint()
	since := func() (at time.Time) {
		if r.Number(1) == 1 {
			at = time.UnixMicro(began + r.Varint()).UTC()
		}
		return at
	}
	length := func() (s cdr.Length) {
		if r.Number(1) == 1 {
			s = cdr.KnownLength(time.Duration(r.Varint()) * time.Microsecond)
		}
		return s
	}
	for range n {
		if r.Bad {
			return ErrRow
		}
		l := cdr.Leg{ID: r.Text(), Parent: r.Text()}
		for range min(r.Uvarint(), uint64(len(r.Data))) {
			l.AltIDs = append(l.AltIDs, r.Text())
		}
		kind := r.Bytes(4)
		if len(kind) < 4 || int(kind[1]) >= len(cdr.Outcomes()) {
			return ErrRow
		}
		l.Party, l.Outcome, l.NoOutcome, l.Direction = cdr.Party(kind[0]), cdr.Outcome(kind[1]), kind[2] != 0,
			cdr.Direction(kind[3])
		l.Trunk, l.Channel = r.Text(), r.Text()
		l.Start, l.Answer, l.End, l.Ringing, l.Duration = since(), since(), since(), length(), length()
		c.legs = append(c.legs, l)
	}
	if r.Bad || len(r.Data) > 0 {
		return ErrRow
	}
	return nil
}

// appendLink is the stored form of the call key that a record's own key leads to.
func appendLink(dst []byte, to Hash) []byte {
	return binary.BigEndian.AppendUint64(append(dst, rowLink), uint64(to))
}

func parseLink(data []byte) (Hash, error) {
	if len(data) != 9 || data[0] != rowLink {
		return 0, ErrRow
	}
	return Hash(binary.BigEndian.Uint64(data[1:])), nil
}
