package match

import "testing"

func TestNormal(t *testing.T) {
	for _, c := range []struct{ name, country, number, want string }{
		{"E.164", "DE", "+493012345678", "493012345678"},
		{"without its plus sign", "DE", "493012345678", "493012345678"},
		{"of another country, without its plus sign", "DE", "14155550100", "14155550100"},
		{"a mobile, without its plus sign", "DE", "4915112345678", "4915112345678"},
		{"of Britain, without its plus sign", "DE", "442071838750", "442071838750"},
		{"of France, masked, without its plus sign", "DE", "33142685***", "33142685***"},
		{"of Austria, without its plus sign", "AT", "14155550100", "14155550100"},
		{"national, without its zero", "IN", "9525331550", "919525331550"},
		{"of Stockholm, without its plus sign", "SE", "468123456", "468123456"},
		{"of Indonesia, without its plus sign", "ID", "62812345678", "62812345678"},
		{"of Indonesia, without its zero", "ID", "81234567890", "6281234567890"},
		{"of Denmark, without its plus sign", "FI", "4532123456", "4532123456"},
		{"of Montenegro, without its plus sign", "RS", "38267622901", "38267622901"},
		{"a mobile of its country, without its plus sign", "XK", "38343201234", "38343201234"},
		{"another country's international prefix", "US", "00493012345678", "493012345678"},
		{"another prefix, masked", "JP", "0049301234****", "49301234****"},
		{"national", "DE", "030 1234-5678", "493012345678"},
		{"international prefix", "DE", "00493012345678", "493012345678"},
		{"international prefix of its country", "US", "011493012345678", "493012345678"},
		{"national of a country without a trunk prefix", "ES", "912345678", "34912345678"},
		{"ten digits", "US", "(415) 555-0100", "14155550100"},
		{"a zero that is part of it", "IT", "0669812345", "390669812345"},
		{"a zero that only callers at home dial", "", "+49 (0) 30 12345678", "493012345678"},
		{"prefix without a country", "", "00493012345678", "493012345678"},
		{"national without a country", "", "03012345678", "03012345678"},
		{"extension", "DE", "101", "101"},
		{"SIP", "DE", "sip:+493012345678@sbc.example;user=phone", "493012345678"},
		{"tel", "DE", "tel:+49-30-12345678", "493012345678"},
		{"masked at its end", "DE", "+4930123***", "4930123***"},
		{"national, masked at its end", "DE", "030 12345***", "493012345***"},
		{"masked at its beginning", "DE", "****5678", "****5678"},
		{"hidden", "DE", "Anonymous", ""},
		{"masked as a whole", "DE", "*****", ""},
		{"none", "DE", "", ""},
		{"a name", "DE", "Reception", "reception"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := newNumbers(c.country)
			for range 2 { // the second time from the cache
				if got := n.normal(c.number); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestSameNumber(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"equal", "4930123", "4930123", true},
		{"different", "4930123", "4930124", false},
		{"masked at the end", "4930123456", "4930123***", true},
		{"other digits before the mask", "4930124456", "4930123***", false},
		{"masked at the beginning", "4930123456", "***3456", true},
		{"other digits behind the mask", "4930123457", "***3456", false},
		{"in between", "4930123456", "4930***456", true},
		{"both, of other lengths", "493012****", "4930123***", true},
		{"a beginning is longer than the number", "49301", "4930123***", false},
		{"hidden", "", "4930123***", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if sameNumber(c.a, c.b) != c.want || sameNumber(c.b, c.a) != c.want {
				t.Errorf("%q and %q: want %t", c.a, c.b, c.want)
			}
		})
	}
}

// FuzzNormal: any text is a number or not, and a normalised one stays.
func FuzzNormal(f *testing.F) {
	for _, text := range []string{"+49 (0) 30 123", "sip:a@b", "00", "***", "0301234567x", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := newNumbers("DE")
		once := n.normal(text)
		if sameNumber(once, once) != (once == "" || once != "") {
			t.Errorf("%q isn't %q", once, once)
		}
		p := newParty()
		p.add(once)
		_ = p.key(once)
	})
}
