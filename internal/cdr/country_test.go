package cdr

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestCountriesOf(t *testing.T) {
	countries := NewCountries()
	tests := []struct{ name, number, want string }{
		{"masked three digits", "+4930123456***", "DE"},
		{"masked four digits", "+4122123****", "CH"},
		{"masked with x", "+1212555xxxx", "US"},
		{"punctuation", "+44 (20) 7946-0000", "GB"},
		{"blanks around", " +33123456789 ", "FR"},
		{"more data behind", "+4930123456;ext=12", "DE"},
		{"two-digit code", "+61212345678", "AU"},
		{"three-digit code", "+353123456789", "IE"},
		{"US", "+12125550100", "US"},
		{"Canada", "+14165550100", "CA"},
		{"Bahamas", "+12425550100", "BS"},
		{"Jamaica's second area code", "+16585550100", "JM"},
		{"Puerto Rico's second area code", "+19395550100", "PR"},
		{"NANP toll free is the main country", "+18005550100", "US"},
		{"NANP area code not assigned", "+12215550100", ""},
		{"NANP area code with a 1", "+11115550100", ""},
		{"NANP area code masked", "+12********", ""},
		{"NANP mostly masked", "+1416*******", "CA"},
		{"shared 800", "+80012345678", "001"},
		{"shared 870", "+870123456789", "001"},
		{"shared 881", "+881612345678", "001"},
		{"shared 882", "+882161234567", "001"},
		{"shared 883", "+883510012345", "001"},
		{"shared 888", "+88812345678", "001"},
		{"shared 979", "+979123456789", "001"},
		{"Guernsey", "+441481255***", "GG"},
		{"Jersey", "+441534255***", "JE"},
		{"Man", "+441624655***", "IM"},
		{"Man's mobiles", "+447624200***", "IM"},
		{"Jersey's mobiles", "+447797712***", "JE"},
		{"UK mobiles", "+447400123***", "GB"},
		{"UK as far as can be told", "+44**********", "GB"},
		{"Kazakhstan", "+77017123***", "KZ"},
		{"Russia", "+79161234***", "RU"},
		{"Vatican", "+390669812***", "VA"},
		{"Rome", "+390612345***", "IT"},
		{"Svalbard", "+4779123***", "SJ"},
		{"Norway", "+4721234***", "NO"},
		{"Christmas Island", "+6189164****", "CX"},
		{"Cocos Islands", "+6189162****", "CC"},
		{"Western Sahara", "+2125288*****", "EH"},
		{"Morocco", "+212520123***", "MA"},
		{"Mayotte", "+262269601***", "YT"},
		{"Réunion", "+262262161***", "RE"},
		{"Saint Barthélemy", "+590590271***", "BL"},
		{"Guadeloupe", "+590590201***", "GP"},
		{"Bonaire", "+599717****", "BQ"},
		{"Curaçao", "+5999435****", "CW"},
		{"Åland", "+35818123***", "AX"},
		{"Kosovo", "+38328012345", "XK"},
		{"shortest number", "+6834002", "NU"},
		{"code not assigned", "+99912345678", ""},
		{"no such code", "+0491234567", ""},
		{"emergency number", "+911", ""},
		{"emergency number with 1", "+1911", ""},
		{"extension", "+1001", ""},
		{"short number of Germany", "+49110", ""},
		{"too long", "+491234567890123456", ""},
		{"national", "030123456", ""},
		{"no plus sign", "4930123456", ""},
		{"international prefix", "004930123456", ""},
		{"name", "Internal Revenue Service", ""},
		{"name behind a plus sign", "+Alice", ""},
		{"anonymous", "anonymous", ""},
		{"anonymous on a keypad", "+" + onKeypad("anonymous"), ""},
		{"restricted on a keypad", "+" + onKeypad("restricted"), ""},
		{"blocked on a keypad", "+" + onKeypad("blocked"), ""},
		{"unknown on a keypad", "+" + onKeypad("unknown"), ""},
		{"unavailable on a keypad", "+" + onKeypad("unavailable"), ""},
		{"masked whole", "+***********", ""},
		{"plus sign", "+", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		for _, when := range []string{"cold", "hot"} {
			if got := countries.Of(tt.number); got != tt.want {
				t.Errorf("%s, %s: Of(%q) = %q, want %q", tt.name, when, tt.number, got, tt.want)
			}
		}
	}
	for number, want := range map[string]string{
		"12125550100": "US", "+4930123456": "DE", "36465": "", "030123456": "", "": "",
	} {
		if got := countries.OfDigits(number); got != want {
			t.Errorf("OfDigits(%q) = %q, want %q", number, got, want)
		}
	}
}

// TestCountriesAgreesWithMetadata takes the metadata's own example of every kind
// of number of every country, and hides its last four digits.
func TestCountriesAgreesWithMetadata(t *testing.T) {
	countries := NewCountries()
	seen := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			// Where countries share a kind of number this is the main country.
			want := phonenumbers.GetRegionCodeForNumber(example)
			switch {
			case region == "EH" && kind == phonenumbers.FIXED_LINE:
				want = "EH" // The metadata itself says MA.
			case region == "TA":
				want = "SH" // Four digits in all: nothing is left to tell by.
			}
			number := phonenumbers.Format(example, phonenumbers.E164)
			if masked := number[:len(number)-4] + "****"; countries.Of(masked) != want {
				t.Errorf("Of(%q) = %q, want %q (%s %v)", masked, countries.Of(masked), want, region, kind)
			}
			seen++
		}
	}
	if seen < 400 {
		t.Errorf("only %d examples in the metadata", seen)
	}
}

func TestCountriesCacheIsBounded(t *testing.T) {
	countries := NewCountries()
	for i := range uint32(maxCachedPrefixes) {
		countries.cache[1_000_000_000+i] = "" // No number has this key.
	}
	for _, number := range []string{"+14165550100", "+12425550100"} {
		if countries.Of(number) == "" {
			t.Errorf("Of(%q) is empty", number)
		}
	}
	if n := len(countries.cache); n != 2 {
		t.Errorf("%d prefixes cached, want the 2 since it was full", n)
	}
}

func TestCountriesConcurrently(t *testing.T) {
	countries := NewCountries()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for area := 200; area < 500; area++ {
				countries.Of(fmt.Sprintf("+1%d5550100", area))
			}
			if got := countries.Of("+14165550100"); got != "CA" {
				t.Errorf("Of(+1416…) = %q", got)
			}
		})
	}
	wg.Wait()
}

func TestCountriesHotPathDoesNotAllocate(t *testing.T) {
	countries := NewCountries()
	for _, number := range []string{"+4930123456***", "+12125550100", "+447400123***", "anonymous", ""} {
		countries.Of(number)
		if n := testing.AllocsPerRun(100, func() { countries.Of(number) }); n != 0 {
			t.Errorf("Of(%q) allocates %v times", number, n)
		}
	}
}

var countryPattern = regexp.MustCompile(`^([A-Z]{2}|001)?$`)

func FuzzCountriesOf(f *testing.F) {
	for _, seed := range []string{
		"", "+", "+1", "+1416", "+4930123456***", "+39066981****", "+44 (0)20", "+٤٩٣٠١٢٣٤٥٦",
		"tel:+1", "+999", "+0", "+1x1x1x1x",
	} {
		f.Add(seed)
	}
	countries := NewCountries()
	f.Fuzz(func(t *testing.T, number string) {
		of, ofDigits := countries.Of(number), countries.OfDigits(number)
		if !countryPattern.MatchString(of) || !countryPattern.MatchString(ofDigits) {
			t.Errorf("Of(%q) = %q, OfDigits = %q", number, of, ofDigits)
		}
		if of != "" && of != ofDigits {
			t.Errorf("Of(%q) = %q, but OfDigits = %q", number, of, ofDigits)
		}
		if again := NewCountries().Of(number); again != of {
			t.Errorf("Of(%q) = %q, but %q with another cache", number, of, again)
		}
	})
}

// onKeypad writes a word on a telephone's keypad (ITU-T E.161).
func onKeypad(word string) string {
	keys := []string{"abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"}
	var digits strings.Builder
	for _, letter := range word {
		for i, key := range keys {
			if strings.ContainsRune(key, letter) {
				fmt.Fprint(&digits, i+2)
			}
		}
	}
	return digits.String()
}
