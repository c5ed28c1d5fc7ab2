package match

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/pack"
)

// Call is a call of a book, or a leg of one.
type Call struct {
	ID         string
	Start      time.Time
	Duration   time.Duration
	NoDuration bool
	Direction  cdr.Direction
	// Caller and Callee are the digits of E.164, masked ones as *; empty: hidden.
	Caller, Callee string
	// Price is the sum of the charges of each currency but zeros, such as `EUR 0.042;USD 1`, in the order of the
	// currencies.
	Price string
}

// priceOf is the Price of charges. Those without a currency are in the feed's.
func priceOf(charges []cdr.Charge, currency string) string {
	if len(charges) == 1 && charges[0].Amount.Sign() != 0 {
		return cmp.Or(charges[0].Currency, currency) + " " + charges[0].Amount.String()
	}
	var sums cdr.Amounts
	for i := range charges {
		sums.Add(cmp.Or(charges[i].Currency, currency), &charges[i].Amount)
	}
	texts := make([]string, 0, 1)
	for currency, text := range sums.Texts() {
		texts = append(texts, currency+" "+text)
	}
	slices.Sort(texts)
	return strings.Join(texts, ";")
}

// addPrice adds a Price to sums.
func addPrice(sums *cdr.Amounts, price string) {
	for text := range strings.SplitSeq(price, ";") {
		at := strings.LastIndexByte(text, ' ')
		if amount, err := cdr.ParseMoneySum(text[at+1:]); err == nil { // a text without a price is left out
			sums.Add(text[:at], &amount)
		}
	}
}

// entry is what is sorted on disk: first a version of a record, then a call.
type entry struct {
	Call

	version int64
	leg     string // JSON of a record that makes a call together with others
}

var errStored = errors.New("read sorted calls: a temporary file was changed")

// timeKey is a time as a number, in the same order.
func timeKey(at time.Time) uint64 { return uint64(at.UnixNano()) ^ 1<<63 } //nolint:gosec // the order stays

// add adds an entry behind the numbers that it is sorted by.
func (e *entry) add(to *disksort.Sorter, key ...uint64) error {
	var buffer [512]byte
	dst := buffer[:0]
	for _, n := range key {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	flags := int64(e.Direction) << 1
	if e.NoDuration {
		flags |= 1
	}
	for _, n := range [...]int64{e.Start.UnixNano(), int64(e.Duration), flags, e.version} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, text := range [...]string{e.ID, e.Caller, e.Callee, e.Price, e.leg} {
		dst = pack.AppendText(dst, text)
	}
	return to.Add(dst)
}

// parseEntry reads an entry and the numbers that it is sorted by.
func parseEntry(data []byte, key ...*uint64) (e entry, err error) {
	r := pack.Reader{Data: data}
	for _, n := range key {
		*n = r.Number(8)
	}
	e.Start, e.Duration = time.Unix(0, r.Varint()).UTC(), time.Duration(r.Varint())
	flags := r.Varint()
	e.NoDuration, e.Direction = flags&1 == 1, cdr.Direction(flags>>1) //nolint:gosec // small
	e.version = r.Varint()
	text := string(r.Data) // of all, which takes one piece of memory
	for _, to := range [...]*string{&e.ID, &e.Caller, &e.Callee, &e.Price, &e.leg} {
		length := len(r.Bytes(r.Uvarint()))
		end := len(text) - len(r.Data)
		*to = text[end-length : end]
	}
	if r.Bad {
		err = errStored
	}
	return e, err
}

// List is calls in the order of their classes and starts, on disk.
type List struct{ *disksort.Sorter }

// Add adds a call with its partner, of which one may be nil.
func (l List) Add(c Class, left, right *Call) error {
	text, err := json.Marshal([...]*Call{left, right})
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64([]byte{byte(c)}, timeKey(cmp.Or(left, right).Start))
	return l.Sorter.Add(append(key, text...))
}

// All goes through the calls of a class.
func (l List) All(c Class, use func(left, right *Call) error) error {
	for data, err := range l.Sorter.All() {
		if err == nil && Class(data[0]) != c {
			continue
		}
		var calls [2]*Call
		if err == nil {
			err = json.Unmarshal(data[9:], &calls)
		}
		if err == nil {
			err = use(calls[left], calls[right])
		}
		if err != nil {
			return err
		}
	}
	return nil
}
