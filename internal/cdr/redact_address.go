package cdr

import (
	"net/netip"
	"strings"
)

// The networks that a mask keeps of an address.
const (
	maskBits4 = 24
	maskBits6 = 48
)

// address redacts an IP address, with or without a port, or the name of a host where an address is expected.
func (d *Redactor) address(s string) string { return d.addressAs(s, d.policy.Addresses) }

func (d *Redactor) addressAs(s string, mode Mode) string {
	return d.inMode(mode, s, maskAddress, func(s string) string {
		if addr, ok := parseAddress(s); ok {
			s = addr.String()
		}
		return foldCase(s)
	})
}

// maskAddress keeps the network: /24 of IPv4, /48 of IPv6.
func maskAddress(s string) string {
	addr, ok := parseAddress(s)
	if !ok {
		return hidden
	}
	bits := maskBits6
	if addr.Is4() {
		bits = maskBits4
	}
	return netip.PrefixFrom(addr.WithZone(""), bits).Masked().String()
}

// isAddress says whether s is an IP address, with or without a port.
func isAddress(s string) bool {
	// A name or a number is recognized here without the cost of an error.
	if strings.Count(s, ".") != 3 && strings.Count(s, ":") < 2 {
		return false
	}
	_, ok := parseAddress(s)
	return ok
}

func parseAddress(s string) (netip.Addr, bool) {
	if port, err := netip.ParseAddrPort(s); err == nil {
		return port.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap(), err == nil
}
