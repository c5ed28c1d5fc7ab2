package cdr

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Kinds of numbers, the values of the label number_class.
const (
	ClassGeographic = "geographic"
	ClassMobile     = "mobile"
	ClassTollFree   = "toll_free"
	ClassPremium    = "premium"
	ClassSharedCost = "shared_cost"
	ClassSatellite  = "satellite"
	ClassOther      = "other"
)

// satellitePrefixes are the calling codes of satellite networks: Inmarsat, Iridium and Globalstar,
// Iridium's earlier one, Thuraya.
var satellitePrefixes = []string{"870", "881", "88213", "88216"}

// NumberClass is the kind of the other party's number by the metadata of libphonenumber, which
// reads masked digits as zeros. A number that may be a landline or a mobile is geographic. A number
// that the metadata can't classify, such as one without a country code, is other. It is empty
// without a number, or if the direction doesn't say which party is the other.
func (r *Record) NumberClass() string {
	if r.Class != "" || r.NoClass {
		return r.Class
	}
	var number string
	switch r.Direction {
	case Inbound:
		number = r.CallerNumber
	case Outbound:
		number = r.CalleeNumber
	case Internal, DirectionUnknown:
	}
	number = strings.TrimSpace(number)
	switch {
	case number == "":
		return ""
	case r.Country == "" || number[0] != '+' && !strings.ContainsAny(number[:1], "123456789"):
		return ClassOther
	}
	digits := strings.TrimPrefix(number, "+")
	if strings.Trim(digits, "0123456789") != "" { // most are written without signs
		var buf [maxInternational]byte
		all, _ := scanDigits(&buf, digits)
		digits = string(all)
	}
	return classOf(digits, r.Country)
}

// classOf is the kind of an international number that belongs to a country.
func classOf(digits, country string) string {
	if slices.ContainsFunc(satellitePrefixes, func(prefix string) bool { return strings.HasPrefix(digits, prefix) }) {
		return ClassSatellite
	}
	code, regions, national := cutCallingCode(digits)
	if !slices.Contains(regions, country) { // the row has the country; the number doesn't have its code
		return ClassOther
	}
	for _, region := range regions {
		p := numberPlans()[planKey{region, code}]
		p.once.Do(p.compile)
		// As in libphonenumber, leading digits decide the region, or the region's patterns match
		// the number.
		if len(regions) > 1 && p.leading != nil && !p.leading.MatchString(national) {
			continue
		}
		if class := p.classOf(national); class != "" || p.leading != nil {
			return cmp.Or(class, ClassOther)
		}
	}
	return ClassOther
}

// planKey is a region or, for numbers without a country, a calling code.
type planKey struct {
	region string
	code   int
}

// numberPlan tells a region's numbers apart. It is made on first use: making all takes a second.
type numberPlan struct {
	meta *phonenumbers.PhoneMetadata

	once    sync.Once
	leading *regexp.Regexp // for a region with a shared calling code; nil: its numbers decide
	numbers digitTable
	kinds   []kind // in libphonenumber's order; the first is any number of the region
}

// kind is a class of national numbers, which have one of these lengths, if there are any.
type kind struct {
	class   string
	lengths []int32
}

// numberPlans are the plans of all regions.
var numberPlans = sync.OnceValue(func() map[planKey]*numberPlan {
	all := make(map[planKey]*numberPlan)
	metadata, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic(err) // already read at program start
	}
	for _, m := range metadata.GetMetadata() {
		all[planKey{m.GetId(), int(m.GetCountryCode())}] = &numberPlan{meta: m}
	}
	return all
})

func (p *numberPlan) compile() {
	m := p.meta
	if digits := m.GetLeadingDigits(); digits != "" {
		p.leading = regexp.MustCompile("^(?:" + digits + ")")
	}
	descs := []*phonenumbers.PhoneNumberDesc{
		m.GetGeneralDesc(), m.GetPremiumRate(), m.GetTollFree(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(),
		m.GetPager(), m.GetUan(), m.GetVoicemail(), m.GetFixedLine(), m.GetMobile(),
	}
	classes := []string{
		"", ClassPremium, ClassTollFree, ClassSharedCost, ClassOther, ClassOther,
		ClassOther, ClassOther, ClassOther, ClassGeographic, ClassMobile,
	}
	if m.GetSameMobileAndFixedLinePattern() {
		descs = descs[:len(descs)-1]
	}
	patterns := make([]string, len(descs))
	for i, d := range descs {
		patterns[i] = d.GetNationalNumberPattern()
		p.kinds = append(p.kinds, kind{classes[i], d.GetPossibleLength()})
	}
	p.numbers = newDigitTable(patterns)
}

// classOf is the kind of a national number; empty if it isn't one of the region's numbers.
func (p *numberPlan) classOf(national string) string {
	matching := p.numbers.of(national)
	has := func(i int) bool {
		lengths := p.kinds[i].lengths
		//nolint:gosec // a short text
		return matching&(1<<i) != 0 && (len(lengths) == 0 || slices.Contains(lengths, int32(len(national))))
	}
	if !has(0) {
		return ""
	}
	for i := 1; i < len(p.kinds); i++ {
		if has(i) {
			return p.kinds[i].class
		}
	}
	return ""
}
