package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// Number is a phone number as a provider shows it.
type Number struct {
	text [24]byte
	size uint8
	// Null says that the provider gives none.
	Null bool
}

// String is the number; empty if Null.
func (n *Number) String() string { return string(n.text[:n.size]) }

func (n *Number) set(text string) { n.size = uint8(copy(n.text[:], text)) }

// random continues a prefix with digits, of which the last are masked.
func (n *Number) random(p *Prefix, masked int, mask byte, d *Draws) {
	n.set(p.Digits)
	digits := d.below(1 << 40)
	for range p.Random {
		n.text[n.size] = byte('0' + digits%10)
		n.size++
		digits /= 10
	}
	for i := range masked {
		n.text[int(n.size)-1-i] = mask
	}
}

// labels are what stands where a number should.
var labels = [...]string{"Example Clinic", "anonymous", "Unavailable"}

// setOther fills in the external party's number.
func (c *Call) setOther(party Party, m *Mix, from table, d *Draws) {
	switch party {
	case Geographic:
		c.Prefix = &m.Prefixes[from.draw(d)]
		// National rules hide three or four digits of some.
		masked := [...]int{0, 0, 3, 4}[d.below(4)]
		c.Other.random(c.Prefix, masked, m.mask(), d)
	case Label:
		c.Other.set(labels[d.Below(len(labels))])
	case Empty:
	case Null:
		c.Other.Null = true
	case Dial911:
		c.Other.set("911")
	case Dial933:
		c.Other.set("933")
	case Dial112:
		c.Other.set("112")
	case Anonymous:
		c.Other.set("anonymous")
	case NoPlus:
		c.Prefix = &m.Prefixes[from.draw(d)]
		c.Other.random(c.Prefix, 0, m.mask(), d)
		c.Other.set(strings.TrimPrefix(c.Other.String(), "+"))
	case National:
		c.Other.set(fmt.Sprintf("(425)555-01%02d", d.below(100)))
	case Short:
		c.Other.set(strconv.FormatInt(d.between(201, 299), 10))
	case Colleague:
		c.Other.Null = true
		c.Peer = &m.Users[d.Below(len(m.Users))]
	}
}

func (m *Mix) mask() byte {
	if m.Mask == 0 {
		return '*'
	}
	return m.Mask
}
