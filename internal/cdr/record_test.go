package cdr

import (
	"testing"
	"time"
)

var start = time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)

// TestRecordSetup: an invite is believed if it is at most a day before the start.
func TestRecordSetup(t *testing.T) {
	const ahead = 3156 * time.Millisecond
	for name, c := range map[string]struct {
		record Record
		want   time.Duration // -1: unknown
	}{
		"answered":            {Record{Outcome: Answered, Invite: start.Add(-ahead)}, ahead},
		"voicemail at once":   {Record{Outcome: Voicemail, Invite: start}, 0},
		"answered later":      {Record{Outcome: Answered, Invite: start, Answer: start.Add(ahead)}, ahead},
		"not connected":       {Record{Outcome: Busy, Invite: start.Add(-ahead)}, -1},
		"no invite":           {Record{Outcome: Answered}, -1},
		"after the start":     {Record{Outcome: Answered, Invite: start.Add(time.Second)}, -1},
		"a day before":        {Record{Outcome: Answered, Invite: start.Add(-24 * time.Hour)}, 24 * time.Hour},
		"longer before":       {Record{Outcome: Answered, Invite: start.Add(-24*time.Hour - time.Second)}, -1},
		"Windows' zero time":  {Record{Outcome: Answered, Invite: time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)}, -1},
		"beyond any duration": {Record{Outcome: Answered, Invite: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)}, -1},
	} {
		c.record.Start = start
		if got, known := c.record.Setup(); known != (c.want >= 0) || known && got != c.want {
			t.Errorf("%s: %v, %t, want %v", name, got, known, c.want)
		}
	}
	if got, known := (&Record{Outcome: Answered, Invite: start}).Setup(); known {
		t.Errorf("without a start: %v", got)
	}
}

// counting.md, "a record's own times are believed within bounds": one row can't poison a sum.
func TestDurationsThatAreBelieved(t *testing.T) {
	const tooLong = "is longer than 31 days"
	for name, c := range map[string]struct {
		n       int64
		unit    time.Duration
		problem string
	}{
		"none":                       {0, time.Second, ""},
		"31 days":                    {31 * 24 * 3600, time.Second, ""},
		"a second longer":            {31*24*3600 + 1, time.Second, tooLong},
		"31 days in milliseconds":    {31 * 24 * 3600 * 1000, time.Millisecond, ""},
		"the greatest 32-bit number": {1<<31 - 1, time.Second, tooLong},
		"the greatest number":        {1<<63 - 1, time.Second, tooLong},
		"negative":                   {-1, time.Second, "is negative"},
	} {
		d, problem := Duration(c.n, c.unit)
		if problem != c.problem || problem == "" && d != time.Duration(c.n)*c.unit || problem != "" && d != 0 {
			t.Errorf("%s: %v, %q", name, d, problem)
		}
	}
}

func TestRecordEnded(t *testing.T) {
	minute := start.Add(time.Minute)
	for name, c := range map[string]struct {
		record Record
		want   time.Time
	}{
		"connected":               {Record{Outcome: Answered, End: minute, Duration: 30 * time.Second}, minute},
		"no end":                  {Record{Outcome: Answered, Duration: time.Minute}, minute},
		"end within the duration": {Record{Outcome: Answered, End: start, Duration: time.Minute}, minute},
		"not connected":           {Record{Outcome: NoAnswer, End: minute, Duration: time.Minute}, start},
		"a visit":                 {Record{NoCall: true, Visits: []Visit{{Wait: KnownLength(time.Minute)}}}, minute},
		"a visit of unknown wait": {Record{NoCall: true, Visits: []Visit{{}}}, start},
	} {
		c.record.Start = start
		if got := c.record.Ended(); !got.Equal(c.want) {
			t.Errorf("%s: ended %v, want %v", name, got, c.want)
		}
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

// TestAccount: who called is shown as users are, by a user or an extension, never by a number.
func TestAccount(t *testing.T) {
	const anna = "anna@contoso.example"
	own, from := Text("extension_id", "18", User), Text("from_extension_id", "19", User)
	number := Text("extension_id", "+12065550100", Number)
	for name, c := range map[string]struct {
		record Record
		mode   Mode
		want   string
	}{
		"a name":                        {Record{UserName: "Anna Example", UserPrincipal: anna}, Keep, "Anna Example"},
		"a principal name":              {Record{UserPrincipal: anna, UserID: "17"}, Keep, anna},
		"an id":                         {Record{UserID: "17", Extra: []Attr{own}}, Keep, "17"},
		"the caller's extension":        {Record{Extra: []Attr{own, from}}, Keep, "19"},
		"an extension":                  {Record{Extra: []Attr{own}}, Keep, "18"},
		"a number as a name":            {Record{UserName: "+1 206 555 0100", UserID: "17"}, Keep, "17"},
		"a name with a number":          {Record{UserName: "Anna +1 206 555 0100"}, Keep, "Anna " + hidden},
		"nothing but numbers":           {Record{UserName: "+1 206 555 0100", CallerNumber: "+12065550100"}, Keep, ""},
		"a number of an extension":      {Record{Extra: []Attr{number}}, Keep, ""},
		"masked":                        {Record{UserPrincipal: anna}, Mask, "a" + hidden + "@contoso.example"},
		"dropped":                       {Record{UserPrincipal: anna, UserID: "17"}, Drop, ""},
		"hashed without a key: dropped": {Record{UserID: "17"}, Hash, ""},
	} {
		redactor := NewRedactor(Policy{Numbers: Keep, Users: c.mode, Addresses: Keep}, nil)
		if got := redactor.Account(&c.record); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
