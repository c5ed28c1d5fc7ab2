package match

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

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

// priceOf sums charges by currency. Those without one are of the feed's.
func priceOf(charges []cdr.Charge, currency string) string {
	sums := make(map[string]cdr.Money, 1)
	for i := range charges {
		of := charges[i].Currency
		if of == "" {
			of = currency
		}
		sum := sums[of]
		sums[of] = sum.Add(&charges[i].Amount)
	}
	return priceText(sums)
}

// priceText is a Price.
func priceText(sums map[string]cdr.Money) string {
	texts := make([]string, 0, 1)
	for currency, sum := range sums {
		if sum.Sign() != 0 {
			texts = append(texts, currency+" "+sum.String())
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, ";")
}

// addPrice adds a Price to sums by currency.
func addPrice(sums map[string]cdr.Money, price string) {
	for text := range strings.SplitSeq(price, ";") {
		at := strings.LastIndexByte(text, ' ')
		if at < 0 {
			continue
		}
		amount, err := cdr.ParseMoneySum(text[at+1:])
		if err != nil {
			continue // priceText wrote it
		}
		sum := sums[text[:at]]
		sums[strings.Clone(text[:at])] = sum.Add(&amount)
	}
}

// append appends the stored form.
func (c *Call) append(dst []byte) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, c.Start.UnixNano()), int64(c.Duration))
	dst = append(dst, byte(c.Direction)<<1)
	if c.NoDuration {
		dst[len(dst)-1] |= 1
	}
	for _, text := range [...]string{c.ID, c.Caller, c.Callee, c.Price} {
		dst = pack.AppendText(dst, text)
	}
	return dst
}

var errStored = errors.New("read sorted calls: a temporary file was changed")

// parseCall reads a stored form and returns what follows it.
func parseCall(data []byte) (c Call, rest []byte, err error) {
	r := pack.Reader{Data: data}
	c.Start, c.Duration = time.Unix(0, r.Varint()).UTC(), time.Duration(r.Varint())
	flags := r.Number(1)
	c.NoDuration, c.Direction = flags&1 == 1, cdr.Direction(flags>>1) //nolint:gosec // append wrote it
	c.ID, c.Caller, c.Callee, c.Price = r.Text(), r.Text(), r.Text(), r.Text()
	if r.Bad {
		return c, nil, errStored
	}
	return c, r.Data, nil
}
