package language

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// network is a network of a parameter, with its name.
type network struct {
	prefix netip.Prefix
	name   string
}

// ParseNetwork reads a network or an address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// networkOf is the name of the smallest network of a parameter that contains an address, which may
// have a port. It is empty if there is none, or if the text isn't an address.
func (r *Row) networkOf(parameter, text string) string {
	all, known := r.nets[parameter]
	if !known {
		for _, key := range slices.Sorted(maps.Keys(r.Parameters)) {
			name, is := strings.CutPrefix(key, parameter+".")
			for _, text := range r.Parameters[key] {
				if prefix, err := ParseNetwork(text); is && err == nil {
					all = append(all, network{prefix, name})
				}
			}
		}
		slices.SortStableFunc(all, func(a, b network) int { return b.prefix.Bits() - a.prefix.Bits() })
		if r.nets == nil {
			r.nets = make(map[string][]network)
		}
		r.nets[parameter] = all
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return ""
		}
		address = withPort.Addr()
	}
	address = address.WithZone("").Unmap()
	for _, n := range all {
		if n.prefix.Contains(address) {
			return n.name
		}
	}
	return ""
}
