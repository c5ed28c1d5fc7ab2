package cdr

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestNumberClass(t *testing.T) {
	countries := NewCountries()
	for _, c := range []struct {
		name, number, country, want string
		direction                   Direction
	}{
		{"landline", "+493012345678", "DE", ClassGeographic, Outbound},
		{"mobile", "+4915112345678", "DE", ClassMobile, Outbound},
		{"toll-free", "+498001234567", "DE", ClassTollFree, Outbound},
		{"premium", "+499001234567", "DE", ClassPremium, Outbound},
		{"premium of Latvia", "+37190012345", "LV", ClassPremium, Outbound},
		{"shared cost", "+49180112345", "DE", ClassSharedCost, Outbound},
		{"a landline or a mobile", "+12025550123", "US", ClassGeographic, Outbound},
		{"toll-free of all of North America", "+18005550123", "US", ClassTollFree, Outbound},
		{"Inmarsat", "+870773111632", "001", ClassSatellite, Outbound},
		{"Iridium", "+881612345678", "001", ClassSatellite, Outbound},
		{"Thuraya", "+8821612345678", "001", ClassSatellite, Outbound},
		{"another network of +882", "+8823412345", "001", ClassOther, Outbound},
		{"universal toll-free", "+80012345678", "001", ClassTollFree, Outbound},
		{"inbound is the caller", "+4915112345678", "DE", ClassMobile, Inbound},
		{"masked digits are zeros", "+4915112340***", "DE", ClassMobile, Outbound},
		{"masked so that nothing is left", "+4990*********", "DE", ClassOther, Outbound},
		{"without a plus sign", "499001234567", "DE", ClassPremium, Outbound},
		{"a national number whose row names the country", "2055551234", "US", ClassOther, Outbound},
		{"a national number with its zero", "030 12345678", "DE", ClassOther, Outbound},
		{"too short to tell", "112", "", ClassOther, Outbound},
		{"a name", "Reception", "", ClassOther, Outbound},
		{"no such code", "+9991234567", "", ClassOther, Outbound},
		{"no number", " ", "DE", "", Outbound},
		{"internal", "+493012345678", "", "", Internal},
		{"unknown direction", "+493012345678", "DE", "", DirectionUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Record{
				Direction: c.direction, Country: c.country, CallerNumber: "+12025550123",
				CalleeNumber: c.number,
			}
			if c.direction == Inbound {
				r.CallerNumber, r.CalleeNumber = r.CalleeNumber, r.CallerNumber
			}
			if got := r.NumberClass(); got != c.want {
				t.Errorf("%q is %q, want %q", c.number, got, c.want)
			}
			if of := countries.Of(c.number); of != "" && c.country != "" && of != c.country {
				t.Errorf("%q is of %s, want %s", c.number, of, c.country)
			}
		})
	}
}

// classOfType are the classes of libphonenumber's types; all others are other.
var classOfType = map[phonenumbers.PhoneNumberType]string{
	phonenumbers.FIXED_LINE: ClassGeographic, phonenumbers.FIXED_LINE_OR_MOBILE: ClassGeographic,
	phonenumbers.MOBILE:    ClassMobile,
	phonenumbers.TOLL_FREE: ClassTollFree, phonenumbers.PREMIUM_RATE: ClassPremium,
	phonenumbers.SHARED_COST: ClassSharedCost,
}

// TestNumberClassAgreesWithLibphonenumber compares with the library's own answer: the examples of
// each kind of number of every region, and numbers that differ from them in a few digits or in
// length.
func TestNumberClassAgreesWithLibphonenumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 5)) //nolint:gosec // the same numbers each time
	seen := make(map[string]int)
	for _, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		for kind := range phonenumbers.UNKNOWN {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			code := int(example.GetCountryCode())
			national := phonenumbers.GetNationalSignificantNumber(example)
			for range 4 {
				class := classOf(fmt.Sprintf("%d%s", code, national), region)
				want := classOfType[phonenumbers.GetNumberType(nationalNumber(code, national))]
				if want == "" {
					want = ClassOther
				}
				if class != want {
					t.Errorf("+%d %s is %s, want %s", code, national, class, want)
				}
				seen[class]++
				digits := []byte(national)
				digits[rng.IntN(len(digits))] = byte('0' + rng.IntN(10))
				if national = string(digits); rng.IntN(4) == 0 {
					national = national[:len(national)-1]
				}
			}
		}
	}
	for _, class := range []string{
		ClassGeographic, ClassMobile, ClassTollFree, ClassPremium, ClassSharedCost,
		ClassOther,
	} {
		if seen[class] < 50 {
			t.Errorf("only %d numbers are %s", seen[class], class)
		}
	}
}

func FuzzNumberClass(f *testing.F) {
	for _, number := range []string{
		"+493012345678", "+8821612345678", "12025550123", "+4990*********", "", "+", "\xff",
		strings.Repeat("9", 40),
	} {
		f.Add(number)
	}
	countries := NewCountries()
	f.Fuzz(func(t *testing.T, number string) {
		r := Record{Direction: Outbound, CalleeNumber: number, Country: countries.OfDigits(number)}
		switch class := r.NumberClass(); class {
		case "", ClassGeographic, ClassMobile, ClassTollFree, ClassPremium, ClassSharedCost, ClassSatellite, ClassOther:
			if class == "" != (strings.TrimSpace(number) == "") {
				t.Errorf("%q is %q", number, class)
			}
		default:
			t.Errorf("%q is %q", number, class)
		}
	})
}

func BenchmarkNumberClass(b *testing.B) {
	r := Record{Direction: Outbound, CalleeNumber: "+17672254567", Country: "DM"}
	b.ReportAllocs()
	for b.Loop() {
		r.NumberClass()
	}
}
