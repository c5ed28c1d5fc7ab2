package labels

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// buildingColumns are the columns of the building file of Microsoft's Call Quality Dashboard, which
// has no header and may lack the last column.
// https://learn.microsoft.com/microsoftteams/cqd-upload-tenant-building-data
var buildingColumns = []string{
	"NetworkIP", "NetworkName", "NetworkRange", "BuildingName", "OwnershipType", "BuildingType", "BuildingOfficeType",
	"City", "ZipCode", "Country", "State", "Region", "InsideCorp", "ExpressRoute", "VPN",
}

// buildingRange is the column of NetworkRange, the length of the network's prefix.
const buildingRange = 2

// isBuilding says whether a file's first row is from a building file: no header starts with an
// address.
func isBuilding(first []string) bool {
	_, err := netip.ParseAddr(strings.TrimSpace(first[0]))
	return err == nil && len(first) > buildingRange
}

// normaliseNetwork makes networks comparable: a single address becomes a network. Other texts stay
// unchanged.
func normaliseNetwork(text string) string {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()).String()
	}
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked().String()
	}
	return text
}

// addNetwork records the prefix length of a normalised network; it returns false if the key isn't a
// network.
func (l *label) addNetwork(text string) bool {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return false
	}
	if bits := network.Bits(); !slices.Contains(l.lengths, bits) {
		l.lengths = append(l.lengths, bits)
		slices.SortFunc(l.lengths, func(a, b int) int { return b - a })
	}
	return true
}

// applyPlaces labels the streams of a record by their senders' subnets.
func (s *Set) applyPlaces(r *cdr.Record, found []cdr.Label) {
	for i := range r.Streams {
		found = found[:0]
		for k := range s.places {
			found = append(found, cdr.Label{Name: s.places[k].name, Value: s.places[k].ofSubnet(r.Streams[i].Sender)})
		}
		r.Streams[i].Labels = cdr.NewLabels(found)
	}
}

// ofSubnet looks up the narrowest network that contains an address.
func (l *label) ofSubnet(of netip.Addr) string {
	for _, bits := range l.lengths {
		network, err := of.Prefix(bits) // an address of the other family may have fewer bits
		if value, known := l.values[network.String()]; err == nil && known {
			return value
		}
	}
	return ""
}
