package cdr

import (
	"testing"
	"time"
)

var start = time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)

func TestRecordSetup(t *testing.T) {
	tests := []struct {
		name   string
		record Record
		want   time.Duration
		ok     bool
	}{
		{
			"answered",
			Record{Outcome: Answered, Invite: start.Add(-3156 * time.Millisecond), Start: start},
			3156 * time.Millisecond, true,
		},
		{"voicemail at once", Record{Outcome: Voicemail, Invite: start, Start: start}, 0, true},
		{"answered later than it began", Record{
			Outcome: Answered, Invite: start, Start: start,
			Answer: start.Add(8 * time.Second),
		}, 8 * time.Second, true},
		{"not connected", Record{Outcome: Busy, Invite: start.Add(-time.Second), Start: start}, 0, false},
		{"no invite", Record{Outcome: Answered, Start: start}, 0, false},
		{"no start", Record{Outcome: Answered, Invite: start}, 0, false},
		{"invite behind the start", Record{Outcome: Answered, Invite: start.Add(time.Second), Start: start}, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.record.Setup(); got != tt.want || ok != tt.ok {
				t.Errorf("Setup() = %v, %t, want %v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// counting.md, "a record's own times are believed within bounds": one row can't poison a sum.
func TestDurationsThatAreBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		n       int64
		unit    time.Duration
		problem string
	}{
		"none":                       {0, time.Second, ""},
		"31 days":                    {31 * 24 * 3600, time.Second, ""},
		"a second longer":            {31*24*3600 + 1, time.Second, "is longer than 31 days"},
		"31 days in milliseconds":    {31 * 24 * 3600 * 1000, time.Millisecond, ""},
		"the greatest 32-bit number": {1<<31 - 1, time.Second, "is longer than 31 days"},
		"the greatest number":        {1<<63 - 1, time.Second, "is longer than 31 days"},
		"negative":                   {-1, time.Second, "is negative"},
	} {
		t.Run(name, func(t *testing.T) {
			d, problem := Duration(c.n, c.unit)
			if problem != c.problem || problem == "" && d != time.Duration(c.n)*c.unit || problem != "" && d != 0 {
				t.Errorf("%v, %q", d, problem)
			}
		})
	}
	for name, c := range map[string]struct {
		invite time.Time
		known  bool
	}{
		"a day before":                    {start.Add(-24 * time.Hour), true},
		"longer before":                   {start.Add(-24*time.Hour - time.Second), false},
		"Windows' zero time":              {time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), false},
		"after the start":                 {start.Add(time.Second), false},
		"farther away than a duration is": {time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), false},
	} {
		t.Run("invited "+name, func(t *testing.T) {
			r := Record{Outcome: Answered, Invite: c.invite, Start: start}
			if _, known := r.Setup(); known != c.known {
				t.Errorf("known: %t", known)
			}
		})
	}
}

func TestRecordEnded(t *testing.T) {
	minute := start.Add(time.Minute)
	tests := []struct {
		name   string
		record Record
		want   time.Time
	}{
		{"connected", Record{Outcome: Answered, Start: start, End: minute, Duration: 30 * time.Second}, minute},
		{"no end", Record{Outcome: Answered, Start: start, Duration: time.Minute}, minute},
		{
			"end before the duration is over",
			Record{Outcome: Answered, Start: start, End: start, Duration: time.Minute},
			minute,
		},
		{"not connected", Record{Outcome: NoAnswer, Start: start, End: minute, Duration: time.Minute}, start},
		{"a visit", Record{NoCall: true, Start: start, Visits: []Visit{{Wait: KnownLength(time.Minute)}}}, minute},
		{"a visit of unknown wait", Record{NoCall: true, Start: start, Visits: []Visit{{}}}, start},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.record.Ended(); !got.Equal(tt.want) {
				t.Errorf("Ended() = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRecordReset(t *testing.T) {
	var r Record
	personalRecord(&r)
	r.Charges = append(r.Charges, Charge{Component: "usage"})
	r.Reset()
	if r.CallerNumber != "" || len(r.Extra) != 0 || len(r.Charges) != 0 || cap(r.Charges) == 0 {
		t.Errorf("after Reset: %+v", r)
	}
}
