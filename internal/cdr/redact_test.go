package cdr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"sync"
	"testing"
)

var testKey = []byte("a key of the test")

// sum is what a hash must be, made the plain way.
func sum(text string) string {
	h := hmac.New(sha256.New, testKey)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func TestRedactNumber(t *testing.T) {
	tests := []struct{ name, number, mask, hash string }{
		{"E.164", "+12125550100", "+1212555****", sum("12125550100")},
		{"digits", "12125550100", "1212555****", sum("12125550100")},
		{"international prefix", "0012125550100", "001212555****", sum("12125550100")},
		{"punctuation", "+1 (212) 555-0100", "+1 (212) 555-****", sum("12125550100")},
		{"dots", "1.212.555.0100", "1.212.555.****", sum("12125550100")},
		{"dots like an IP address", "212.555.010.0", "212.555.***.*", sum("2125550100")},
		{"masked", "+4930123456***", "+493012345****", sum("4930123456***")},
		{"masked more", "+4122123****", "+4122123****", sum("4122123****")},
		{"five digits", "12345", "1****", sum("12345")},
		{"extension", "1001", "****", sum("1001")},
		{"extension with a plus sign", "+1001", "+****", sum("1001")},
		{"emergency number", "911", "***", sum("911")},
		{"tel URI", "tel:+12125550100;ext=12", "+1212555****", sum("12125550100")},
		{"SIP URI with a number", "SIP:+12125550100@10.0.0.1;user=phone", "+1212555****", sum("12125550100")},
		{"SIP URI with a name", "sip:alice@contoso.com", "***", sum("sip:alice@contoso.com")},
		{"name", "Internal Revenue Service", "***", sum("internal revenue service")},
		{"name with digits", "Room 12125550100", "***", sum("room 12125550100")},
		{"number with a name", "+12125550100 Alice", "***", sum("+12125550100 alice")},
		{"number with a code behind", "+12125550100,,4321#", "***", sum("+12125550100,,4321#")},
		{"two numbers", "+12125550100 +12125550101", "***", sum("+12125550100 +12125550101")},
		{"two numbers without plus signs", "12125550100 12125550101", "***", sum("12125550100 12125550101")},
		{"digits of another script", "+٤٩٣٠١٢٣٤٥٦", "***", sum("+٤٩٣٠١٢٣٤٥٦")},
		{"label", "anonymous", "anonymous", "anonymous"},
		{"label in capitals", "Restricted", "Restricted", "Restricted"},
		{"SIP URI with a label", "sip:anonymous@10.0.0.1;user=phone", "anonymous", "anonymous"},
		{"empty", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, want := range []struct {
				mode Mode
				text string
			}{{Keep, tt.number}, {Mask, tt.mask}, {Hash, tt.hash}, {Drop, ""}} {
				d := NewRedactor(Policy{Numbers: want.mode, Users: Keep, Addresses: Keep}, testKey)
				r := Record{CallerNumber: tt.number, CalleeNumber: tt.number}
				d.Redact(&r)
				if r.CallerNumber != want.text || r.CalleeNumber != want.text {
					t.Errorf("%v: %q, %q, want %q", want.mode, r.CallerNumber, r.CalleeNumber, want.text)
				}
			}
		})
	}
}

func TestRedactAcrossClasses(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy // of numbers, users and addresses
		in     Record
		want   Record
	}{
		{
			"a name in a number's field is a user's",
			Policy{Mask, Hash, Drop},
			Record{CallerNumber: "Alice", CalleeNumber: "sip:bob@contoso.com"},
			Record{CallerNumber: sum("alice"), CalleeNumber: sum("sip:bob@contoso.com")},
		},
		{
			"a name in a number's field that would be kept",
			Policy{Keep, Drop, Keep},
			Record{CallerNumber: "Alice", CalleeNumber: "+12125550100"},
			Record{CalleeNumber: "+12125550100"},
		},
		{
			"a number as a display name",
			Policy{Mask, Keep, Keep},
			Record{UserName: "+12125550100", UserID: "400129284008", UserPrincipal: "alice@contoso.com"},
			Record{UserName: "+1212555****", UserID: "400129284008", UserPrincipal: "alice@contoso.com"},
		},
		{
			"a number as a display name under the stricter rule",
			Policy{Mask, Hash, Keep},
			Record{UserName: "+1 212 5550100"},
			Record{UserName: sum("12125550100")},
		},
		{
			"a number in a display name that would be kept",
			Policy{Mask, Keep, Keep},
			Record{UserName: "Ann (+1 212 5550100)", UserID: "400129284008"},
			Record{UserName: "Ann (***)", UserID: "400129284008"},
		},
		{
			"an address in a number's field",
			Policy{Mask, Keep, Drop},
			Record{CallerNumber: "192.0.2.7", CalleeNumber: "2001:db8::7"},
			Record{},
		},
		{
			"an address in kept fields",
			Policy{Keep, Keep, Drop},
			Record{CallerNumber: "sip:+12125550100@192.0.2.7", UserPrincipal: "alice@192.0.2.7"},
			Record{CallerNumber: "sip:+12125550100@***", UserPrincipal: "alice@***"},
		},
		{
			"the host of a withheld number",
			Policy{Keep, Keep, Drop},
			Record{CallerNumber: "sip:anonymous@192.0.2.7", CalleeNumber: "anonymous"},
			Record{CallerNumber: "sip:anonymous@***", CalleeNumber: "anonymous"},
		},
		{
			"masked users",
			Policy{Keep, Mask, Drop},
			Record{
				UserName: "Élise A. Smith", UserPrincipal: "alice@contoso.com",
				UserID: "7f10c2ae-0000-4000-8000-000000000001",
			},
			Record{UserName: "É***", UserPrincipal: "a***@contoso.com", UserID: "7***"},
		},
		{
			"masked users of few letters",
			Policy{Keep, Mask, Drop},
			Record{UserName: "X", UserPrincipal: "bob@192.0.2.7", UserID: "al@home Smith"},
			Record{UserName: "***", UserPrincipal: "b***@***", UserID: "a***"},
		},
		{
			"hashed users are equal without case",
			Policy{Keep, Hash, Keep},
			Record{UserPrincipal: "Alice@Contoso.com", UserID: " alice@contoso.com"},
			Record{UserPrincipal: sum("alice@contoso.com"), UserID: sum("alice@contoso.com")},
		},
		{
			"what isn't personal stays",
			Policy{},
			Record{
				ID: "1", AltIDs: []string{"2"}, Synthetic: "+12125550100", Trunk: "sbc1.contoso.com", Country: "US",
				Reason: "busy", MediaLocation: "USWE",
			},
			Record{
				ID: "1", AltIDs: []string{"2"}, Synthetic: "+12125550100", Trunk: "sbc1.contoso.com", Country: "US",
				Reason: "busy", MediaLocation: "USWE",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.in
			NewRedactor(tt.policy, testKey).Redact(&got)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestRedactExtra(t *testing.T) {
	extra := func() []Attr {
		return []Attr{
			Text("transferee", "+12125550100", Number),
			Text("organizer", "alice@contoso.com", User),
			Texts("participants", []string{"alice@contoso.com", "bob@contoso.com"}, User),
			Text("client_ip", "192.0.2.7", Address),
			{Key: "did", Type: IntAttr, Privacy: Number, Int: 12125550100},
			Text("license", "MCOEV 12125550100", Plain),
			Whole("page", 12345),
			Truth("final", true),
		}
	}
	plain := extra()[5:]
	tests := []struct {
		name   string
		policy Policy
		want   []Attr
	}{
		{"drop", Policy{}, plain},
		{"default", DefaultPolicy(), append([]Attr{
			Text("transferee", "+1212555****", Number),
			Text("organizer", sum("alice@contoso.com"), User),
			Texts("participants", []string{sum("alice@contoso.com"), sum("bob@contoso.com")}, User),
			Text("did", "1212555****", Number),
		}, plain...)},
		{"mask", Policy{Mask, Mask, Mask}, append([]Attr{
			Text("transferee", "+1212555****", Number),
			Text("organizer", "a***@contoso.com", User),
			Texts("participants", []string{"a***@contoso.com", "b***@contoso.com"}, User),
			Text("client_ip", "192.0.2.0/24", Address),
			Text("did", "1212555****", Number),
		}, plain...)},
		{"hash", Policy{Hash, Drop, Hash}, append([]Attr{
			Text("transferee", sum("12125550100"), Number),
			Text("client_ip", sum("192.0.2.7"), Address),
			Text("did", sum("12125550100"), Number),
		}, plain...)},
		{"keep", Policy{Keep, Keep, Keep}, extra()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Record{Extra: extra()}
			NewRedactor(tt.policy, testKey).Redact(&r)
			if !reflect.DeepEqual(r.Extra, tt.want) {
				t.Errorf("got  %+v\nwant %+v", r.Extra, tt.want)
			}
		})
	}
}

func TestRedactSessions(t *testing.T) {
	sessions := func() []Session {
		return []Session{{
			ID: "s1", Media: "audio", Stage: "midcall", Reason: "network", Number: "+12125550100",
			UserID: "7f10c2ae-0000-4000-8000-000000000001", UserName: "Alice Smith", UserPrincipal: "alice@contoso.com",
			Streams: []Stream{{
				Media: "audio",
				Extra: []Attr{
					Text("subnet", "2001:db8:1:2::", Address),
					Text("capture_device", "Alice's AirPods", User),
				},
			}},
			Extra: []Attr{
				Text("platform", "windows", Plain), Text("ip", "192.0.2.7", Address),
				Text("guest", "bob@contoso.com", User),
			},
		}, {ID: "s2", UserName: "+12125550100"}}
	}
	plain := Session{
		ID: "s1", Media: "audio", Stage: "midcall", Reason: "network",
		Extra: []Attr{Text("platform", "windows", Plain)},
	}
	with := func(number, id, name, principal, second string, stream []Attr, extra ...Attr) []Session {
		s := plain
		s.Streams = []Stream{{Media: "audio", Extra: stream}}
		s.Number, s.UserID, s.UserName, s.UserPrincipal = number, id, name, principal
		s.Extra = append(s.Extra[:1:1], extra...)
		return []Session{s, {ID: "s2", UserName: second}}
	}
	tests := []struct {
		name   string
		policy Policy
		want   []Session
	}{
		{"drop", Policy{}, with("", "", "", "", "", []Attr{})},
		{"default", DefaultPolicy(), with("+1212555****", sum("7f10c2ae-0000-4000-8000-000000000001"),
			sum("alice smith"), sum("alice@contoso.com"),
			sum("12125550100"), []Attr{Text("capture_device", sum("alice's airpods"), User)},
			Text("guest", sum("bob@contoso.com"), User))},
		{
			"mask",
			Policy{Mask, Mask, Mask},
			with("+1212555****", "7***", "A***", "a***@contoso.com",
				"+1212555****", []Attr{
					Text("subnet", "2001:db8:1::/48", Address),
					Text("capture_device", "A***", User),
				},
				Text("ip", "192.0.2.0/24", Address), Text("guest", "b***@contoso.com", User)),
		},
		{"keep", Policy{Keep, Keep, Keep}, sessions()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, copied := Record{Sessions: sessions()}, Record{}
			NewRedactor(tt.policy, testKey).Redacted(&copied, &r)
			if !reflect.DeepEqual(copied.Sessions, tt.want) || !reflect.DeepEqual(r.Sessions, sessions()) {
				t.Errorf("got  %+v\nwant %+v\nof   %+v", copied.Sessions, tt.want, r.Sessions)
			}
		})
	}
}

func TestRedactorWithoutKeyDropsWhatItShouldHash(t *testing.T) {
	r := Record{CallerNumber: "+12125550100", UserName: "Alice", CallID: "1@192.0.2.7"}
	NewRedactor(Policy{Hash, Hash, Hash}, nil).Redact(&r)
	if r.CallerNumber != "" || r.UserName != "" || r.CallID != "1" {
		t.Errorf("got %+v", r)
	}
}

func TestRedactorKeysDiffer(t *testing.T) {
	policy := Policy{Hash, Hash, Hash}
	key := []byte("another key")
	other := NewRedactor(policy, key)
	key[0] = 'b'
	a, b := Record{CallerNumber: "+12125550100"}, Record{CallerNumber: "+12125550100"}
	NewRedactor(policy, testKey).Redact(&a)
	other.Redact(&b)
	if a.CallerNumber == b.CallerNumber {
		t.Errorf("both are %q", a.CallerNumber)
	}
	c := Record{CallerNumber: "+12125550100"}
	NewRedactor(policy, []byte("another key")).Redact(&c)
	if b.CallerNumber != c.CallerNumber {
		t.Error("the key isn't the redactor's own copy")
	}
}

func TestRedactorConcurrently(t *testing.T) {
	d := NewRedactor(Policy{Hash, Hash, Hash}, testKey)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				r := Record{CallerNumber: "+12125550100", UserName: "Alice"}
				d.Redact(&r)
				if r.CallerNumber != sum("12125550100") || r.UserName != sum("alice") {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
	wg.Wait()
}

func TestMode(t *testing.T) {
	for _, mode := range []Mode{Drop, Hash, Mask, Keep} {
		if got, ok := ParseMode(mode.String()); got != mode || !ok {
			t.Errorf("ParseMode(%q) = %v, %t", mode.String(), got, ok)
		}
	}
	if got, ok := ParseMode("Mask"); got != Drop || ok {
		t.Errorf("ParseMode(Mask) = %v, %t", got, ok)
	}
	var zero Policy
	if zero.Numbers != Drop || zero.Users != Drop || zero.Addresses != Drop {
		t.Errorf("the zero policy is %+v", zero)
	}
}

func personalRecord(r *Record) {
	r.Reset()
	r.CallID = "9e8bba57-0000-4000-8000-000000000001"
	r.CallerNumber, r.CalleeNumber = "+12125550100", "+4930123456***"
	r.UserID, r.UserName = "7f10c2ae-0000-4000-8000-000000000001", "Alice Smith"
	r.UserPrincipal = "alice@contoso.com"
	r.ReasonPhrase = "Busy Here"
	r.Extra = append(r.Extra, Text("license", "MCOEV", Plain), Text("client_ip", "192.0.2.7", Address))
}

func TestRedactAllocations(t *testing.T) {
	for policy, most := range map[Policy]float64{
		{Numbers: Keep, Users: Keep, Addresses: Keep}: 0,
		{}: 0,
		{Numbers: Mask, Users: Keep, Addresses: Keep}: 2, // two numbers
	} {
		d := NewRedactor(policy, testKey)
		var r Record
		if got := testing.AllocsPerRun(100, func() { personalRecord(&r); d.Redact(&r) }); got > most {
			t.Errorf("%+v: %v allocations, want at most %v", policy, got, most)
		}
	}
}
