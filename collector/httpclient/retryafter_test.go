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
	}{
		{name: "absent", value: ""},
		{name: "blank", value: "  "},
		{name: "seconds", value: "120", want: 2 * time.Minute},
		{name: "seconds with blanks", value: " 7 ", want: 7 * time.Second},
		{name: "zero", value: "0"},
		{name: "fraction", value: "1.5", want: 1500 * time.Millisecond},
		{name: "negative", value: "-30"},
		{name: "a day is capped", value: "86400", want: time.Hour},
		{name: "more digits than a number has", value: "99999999999999999999999999", want: time.Hour},
		{name: "text", value: "soon"},
		{name: "exponent", value: "1e3"},
		{name: "hexadecimal", value: "0x10"},
		{name: "infinite", value: "Inf"},
		{name: "a dot", value: "."},
		{name: "trailing dot", value: "5.", want: 5 * time.Second},
		{name: "minus", value: "-"},
		{
			name: "date against the answer's date", value: date(noon.Add(30 * time.Second)), date: noon,
			want: 30 * time.Second,
		},
		{
			name: "date against a clock that is 10 min ahead", value: date(noon.Add(11 * time.Minute)),
			date: noon.Add(10 * time.Minute), want: time.Minute,
		},
		{name: "date without the answer's date", value: date(noon.Add(45 * time.Second)), want: 45 * time.Second},
		{name: "date that has passed", value: date(noon.Add(-time.Minute)), date: noon},
		{name: "date of next year is capped", value: date(noon.AddDate(1, 0, 0)), date: noon, want: time.Hour},
		{name: "RFC 850 date", value: "Sunday, 01-Mar-26 12:00:10 GMT", date: noon, want: 10 * time.Second},
		{name: "asctime date", value: "Sun Mar  1 12:00:20 2026", date: noon, want: 20 * time.Second},
		{name: "RFC 3339 is not a form of HTTP", value: "2026-03-01T12:00:10Z", date: noon},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Retry-After": {test.value}}
			if !test.date.IsZero() {
				header.Set("Date", date(test.date))
			}
			if got := ParseRetryAfter(header, noon); got != test.want {
				t.Errorf("ParseRetryAfter(%q) = %v, want %v", test.value, got, test.want)
			}
		})
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"", "0", "120", "-1", "1.5", "9e9", "NaN", "99999999999999999999",
		"Sun, 01 Mar 2026 12:00:10 GMT", "Sunday, 01-Mar-26 12:00:10 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT",
	} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(1772366400))
	}
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		header := http.Header{"Retry-After": {value}, "Date": {time.Unix(unix, 0).UTC().Format(http.TimeFormat)}}
		if got := ParseRetryAfter(header, noon); got < 0 || got > MaxRetryAfter {
			t.Errorf("ParseRetryAfter(%q) = %v", value, got)
		}
	})
}
