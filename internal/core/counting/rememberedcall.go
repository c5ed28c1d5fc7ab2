package counting

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// rememberedCall is what is remembered of a call that was counted: what a late leg needs.
type rememberedCall struct {
	CallMemory             // without its ID
	legs       []cdr.Leg   // IDs, parents and channels are hashes
	outcome    cdr.Outcome // as counted, or as it last changed
	talked     bool        // its talk time is counted
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
func (d *Decision) keepCall(key Hash, c *rememberedCall) {
	at := Place{d.factBucket(c.Began), d.hasher.pair(kindCounted, key, dayOf(c.Began))}
	d.keepState(d.newState(at), c.append)
}

// compactLegs are legs as they are remembered: ids and parents as keyed hashes.
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
		l.AltIDs = slices.Clone(l.AltIDs)
		for k, id := range l.AltIDs {
			l.AltIDs[k] = hashed(id)
		}
	}
	return all
}

// append appends the stored form, which has no users.
func (c *rememberedCall) append(dst []byte) []byte {
	var flags byte
	for i, is := range [...]bool{c.talked, c.Ignored, c.Late, c.Grown, c.Changed} { // in the order of the flags
		flags |= boolByte(is) << i
	}
	dst = append(dst, rowCall, flags, byte(c.outcome), byte(c.Labels.Direction))
	for _, text := range [...]string{c.Labels.CallType, c.Trunk, c.Labels.Country, string(c.Labels.Labels)} {
		dst = pack.AppendText(dst, text)
	}
	dst = binary.AppendUvarint(dst, uint64(len(c.Times)))
	for _, t := range c.Times {
		dst = append(pack.AppendText(dst, t.Trunk), byte(t.Direction))
		dst = binary.AppendUvarint(dst, uint64(t.Length.Microseconds()))
	}
	began := c.Began.UnixMicro()
	dst = binary.AppendVarint(dst, began)
	dst = binary.AppendUvarint(dst, uint64(len(c.legs)))
	since := func(at time.Time) {
		if at.IsZero() {
			dst = append(dst, 0)
			return
		}
		dst = binary.AppendVarint(append(dst, 1), at.UnixMicro()-began)
	}
	for i := range c.legs {
		l := &c.legs[i]
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
		dst = appendLength(appendLength(dst, l.Ringing), l.Duration)
	}
	return dst
}

// parse reads the stored form.
func (c *rememberedCall) parse(data []byte) error {
	if len(data) < 4 || data[0] != rowCall || data[1] >= callChanged<<1 || int(data[2]) >= len(cdr.Outcomes()) {
		return ErrRow
	}
	r := pack.Reader{Data: data[4:]}
	*c = rememberedCall{outcome: cdr.Outcome(data[2]), talked: data[1]&callTalked != 0}
	c.Ignored, c.Late = data[1]&callIgnored != 0, data[1]&callLate != 0
	c.Grown, c.Changed = data[1]&callGrown != 0, data[1]&callChanged != 0
	c.Labels.Direction = cdr.Direction(data[3])
	c.Labels.CallType, c.Trunk, c.Labels.Country, c.Labels.Labels = r.Text(), r.Text(), r.Text(), cdr.Labels(r.Text())
	for range min(r.Uvarint(), uint64(len(r.Data))) {
		t := CountedTime{Trunk: r.Text(), Direction: cdr.Direction(r.Number(1))}
		t.Length = time.Duration(r.Uvarint()) * time.Microsecond
		c.Times = append(c.Times, t)
	}
	began := r.Varint()
	c.Began = time.UnixMicro(began).UTC()
	n := r.Uvarint()
	since := func() (at time.Time) {
		if r.Number(1) == 1 {
			at = time.UnixMicro(began + r.Varint()).UTC()
		}
		return at
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
		l.Start, l.Answer, l.End, l.Ringing, l.Duration = since(), since(), since(), readLength(&r), readLength(&r)
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
