package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// number extends the prefix with random digits, the last of which are masked.
func (p *Prefix) number(masked int, mask byte, d *Draws) string {
	text := []byte(p.Digits)
	digits := d.below(1 << 40)
	for range p.Random {
		text = append(text, byte('0'+digits%10))
		digits /= 10
	}
	for i := range masked {
		text[len(text)-1-i] = mask
	}
	return string(text)
}

func (c *Call) setOther(party Party, m *Mix, d *Draws) {
	switch party {
	case Geographic:
		c.Prefix = Pick(d, m.Prefixes)
		// National rules hide three or four digits of some.
		masked := [...]int{0, 0, 3, 4}[d.below(4)]
		c.Other = c.Prefix.number(masked, m.Mask, d)
	case Label:
		c.Other = [...]string{"Example Clinic", "anonymous", "Unavailable"}[d.Below(3)]
	case Empty:
	case Null:
		c.NoOther = true
	case Dial911, Dial933, Dial112, Anonymous:
		c.Other = string(party)
	case NoPlus:
		c.Prefix = Pick(d, m.Prefixes)
		c.Other = strings.TrimPrefix(c.Prefix.number(0, 0, d), "+")
	case National:
		c.Other = fmt.Sprintf("(425)555-01%02d", d.below(100))
	case Short:
		c.Other = strconv.FormatInt(d.between(201, 299), 10)
	case Colleague:
		c.NoOther = true
		c.Peer = &m.Users[d.Below(len(m.Users))]
	default:
		panic("simulated mix: unknown party " + string(party))
	}
}
