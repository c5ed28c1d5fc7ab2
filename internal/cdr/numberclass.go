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
	if r.Class != "" {
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

// numberPlan has the patterns of a region's numbers. They are compiled on first use: compiling all
// takes a second.
type numberPlan struct {
	meta *phonenumbers.PhoneMetadata

	once    sync.Once
	leading *regexp.Regexp // for a region with a shared calling code; nil: its numbers decide
	general pattern
	kinds   []kind // in libphonenumber's order
	mobile  pattern
	// same says that fixed lines and mobiles have the same numbers.
	same bool
}

type kind struct {
	pattern

	class string
}

// pattern describes national numbers: it matches the whole number, which has one of these lengths,
// if there are any.
type pattern struct {
	*regexp.Regexp

	lengths []int32
}

func newPattern(d *phonenumbers.PhoneNumberDesc) pattern {
	return pattern{regexp.MustCompile("^(?:" + d.GetNationalNumberPattern() + ")$"), d.GetPossibleLength()}
}

func (p pattern) has(national string) bool {
	//nolint:gosec // a short text
	return (len(p.lengths) == 0 || slices.Contains(p.lengths, int32(len(national)))) && p.MatchString(national)
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
	p.general, p.mobile, p.same = newPattern(m.GetGeneralDesc()), newPattern(m.GetMobile()),
		m.GetSameMobileAndFixedLinePattern()
	for _, k := range []struct {
		class string
		desc  *phonenumbers.PhoneNumberDesc
	}{
		{ClassPremium, m.GetPremiumRate()},
		{ClassTollFree, m.GetTollFree()},
		{ClassSharedCost, m.GetSharedCost()},
		{ClassOther, m.GetVoip()},
		{ClassOther, m.GetPersonalNumber()},
		{ClassOther, m.GetPager()},
		{ClassOther, m.GetUan()},
		{ClassOther, m.GetVoicemail()},
		{ClassGeographic, m.GetFixedLine()},
	} {
		p.kinds = append(p.kinds, kind{newPattern(k.desc), k.class})
	}
}

// classOf is the kind of a national number; empty if it isn't one of the region's numbers.
func (p *numberPlan) classOf(national string) string {
	if !p.general.has(national) {
		return ""
	}
	for _, k := range p.kinds {
		if k.has(national) {
			return k.class
		}
	}
	if !p.same && p.mobile.has(national) {
		return ClassMobile
	}
	return ""
}
