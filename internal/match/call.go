package match

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
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
	// Price is the sum of the charges of each currency but zeros, such as `EUR 0.042;USD 1`, in the order of the currencies.
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
	dst = binary.AppendVarint(dst, c.Start.UnixNano())
	dst = binary.AppendVarint(dst, int64(c.Duration))
	flags := byte(c.Direction) << 1
	if c.NoDuration {
		flags |= 1
	}
	dst = append(dst, flags)
	for _, text := range [...]string{c.ID, c.Caller, c.Callee, c.Price} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	return dst
}

var errStored = errors.New("sort calls on disk: a temporary file was changed")

// parseCall reads a stored form and returns what follows it.
func parseCall(data []byte) (c Call, rest []byte, err error) {
	var numbers [2]int64
	for i := range numbers {
		n, size := binary.Varint(data)
		if size <= 0 {
			return c, nil, errStored
		}
		numbers[i], data = n, data[size:]
	}
	if len(data) == 0 {
		return c, nil, errStored
	}
	c.Start, c.Duration = time.Unix(0, numbers[0]).UTC(), time.Duration(numbers[1])
	c.NoDuration, c.Direction, data = data[0]&1 == 1, cdr.Direction(data[0]>>1), data[1:]
	for _, text := range [...]*string{&c.ID, &c.Caller, &c.Callee, &c.Price} {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) {
			return c, nil, errStored
		}
		*text, data = string(data[size:size+int(n)]), data[size+int(n):] //nolint:gosec // it is within data
	}
	return c, data, nil
}
