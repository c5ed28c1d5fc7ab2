package counting

import (
	"encoding/binary"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// earlier is what versions of a record changed after the first one, so that what was counted of it can be said again.
type earlier struct {
	// outcomes are those before the present one, the first one first.
	outcomes []cdr.Outcome
	// corrections are the sums of the changes of charges, debits and credits apart.
	corrections []cdr.Charge
	// fields are bits of those of recordFields that differ from the first version.
	fields uint64
}

// laterParts is the bit of earlier.fields that says that a version came after the one whose parts counted once it had
// settled. It is behind those of recordFields.
const laterParts = 1 << 32

// owesTalk is the bit that says that a person answered a call of one leg, and that its connected time is counted but
// its talk time isn't: another version gave the duration.
const owesTalk = 1 << 33

// mostOutcomes bounds the outcomes that are kept of a record.
const mostOutcomes = 16

func (e *earlier) addOutcome(was cdr.Outcome) {
	if len(e.outcomes) < mostOutcomes {
		e.outcomes = append(e.outcomes, was)
	}
}

func (e *earlier) addCorrection(c cdr.Charge) {
	if c.Amount.Sign() == 0 {
		return
	}
	at := slices.IndexFunc(e.corrections, func(o cdr.Charge) bool {
		return o.Component == c.Component && o.Currency == c.Currency && o.Amount.Sign() == c.Amount.Sign()
	})
	if at < 0 {
		e.corrections = append(e.corrections, c)
		return
	}
	e.corrections[at].Amount = e.corrections[at].Amount.Add(&c.Amount)
}

// addFields notes which fields of a version aren't as they were remembered.
func (e *earlier) addFields(was, now []fieldHash) {
	for _, f := range now {
		if f.key&extraField == 0 && !slices.Contains(was, f) {
			e.fields |= 1 << f.key
		}
	}
}

// append appends the stored form, nothing if nothing changed.
func (e *earlier) append(dst []byte) []byte {
	if len(e.outcomes) == 0 && len(e.corrections) == 0 && e.fields == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, e.fields)
	dst = binary.AppendUvarint(dst, uint64(len(e.outcomes)))
	for _, o := range e.outcomes {
		dst = append(dst, byte(o))
	}
	for i := range e.corrections {
		c := &e.corrections[i]
		dst = pack.AppendText(pack.AppendText(pack.AppendText(dst, c.Component), c.Currency), c.Amount.String())
	}
	return dst
}

func parseEarlier(data []byte) (e earlier, err error) {
	if len(data) == 0 {
		return e, nil
	}
	r := pack.Reader{Data: data}
	e.fields = r.Uvarint()
	for _, o := range r.Bytes(r.Uvarint()) {
		if int(o) >= len(cdr.Outcomes()) {
			return e, ErrRow
		}
		e.outcomes = append(e.outcomes, cdr.Outcome(o))
	}
	for len(r.Data) > 0 {
		c := cdr.Charge{Component: r.Text(), Currency: r.Text()}
		if c.Amount, err = cdr.ParseMoneySum(r.Text()); err != nil || r.Bad {
			return e, ErrRow
		}
		e.corrections = append(e.corrections, c)
	}
	if r.Bad {
		return e, ErrRow
	}
	return e, nil
}
