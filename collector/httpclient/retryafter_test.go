package httpclient

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestParseRetryAfter(t *testing.T) {
	date := func(t time.Time) string { return t.Format(http.TimeFormat) }
	for _, test := range []struct {
		name, value string
		date        time.Time
		want        time.Duration
		ok          bool
	}{
		{name: "absent", value: ""},
		{name: "blank", value: "  "},
		{name: "seconds", value: "120", want: 2 * time.Minute, ok: true},
		{name: "seconds with blanks", value: " 7 ", want: 7 * time.Second, ok: true},
		{name: "zero", value: "0", ok: true},
		{name: "fraction", value: "1.5", want: 1500 * time.Millisecond, ok: true},
		{name: "negative", value: "-30", ok: true},
		{name: "a day is capped", value: "86400", want: time.Hour, ok: true},
		{name: "more digits than a number has", value: "99999999999999999999999999", want: time.Hour, ok: true},
		{name: "text", value: "soon"},
		{name: "exponent", value: "1e3"},
		{name: "hexadecimal", value: "0x10"},
		{name: "infinite", value: "Inf"},
		{name: "a dot", value: "."},
		{name: "trailing dot", value: "5."},
		{name: "minus", value: "-"},
		{name: "date against the answer's date", value: date(noon.Add(30 * time.Second)), date: noon, want: 30 * time.Second, ok: true},
		{name: "date against a clock that is 10 min ahead", value: date(noon.Add(11 * time.Minute)), date: noon.Add(10 * time.Minute), want: time.Minute, ok: true},
		{name: "date without the answer's date", value: date(noon.Add(45 * time.Second)), want: 45 * time.Second, ok: true},
		{name: "date that has passed", value: date(noon.Add(-time.Minute)), date: noon, ok: true},
		{name: "date of next year is capped", value: date(noon.AddDate(1, 0, 0)), date: noon, want: time.Hour, ok: true},
		{name: "RFC 850 date", value: "Sunday, 01-Mar-26 12:00:10 GMT", date: noon, want: 10 * time.Second, ok: true},
		{name: "asctime date", value: "Sun Mar  1 12:00:20 2026", date: noon, want: 20 * time.Second, ok: true},
		{name: "RFC 3339 is not a form of HTTP", value: "2026-03-01T12:00:10Z", date: noon},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := parseRetryAfter(test.value, test.date, noon)
			if got != test.want || ok != test.ok {
				t.Errorf("parseRetryAfter(%q) = %v, %v; want %v, %v", test.value, got, ok, test.want, test.ok)
			}
		})
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "0", "120", "-1", "1.5", "9e9", "NaN", "99999999999999999999",
		"Sun, 01 Mar 2026 12:00:10 GMT", "Sunday, 01-Mar-26 12:00:10 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
	} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(1772366400))
	}
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		got, ok := parseRetryAfter(value, time.Unix(unix, 0), noon)
		if got < 0 || got > MaxRetryAfter || !ok && got != 0 {
			t.Errorf("parseRetryAfter(%q) = %v, %v", value, got, ok)
		}
	})
}
