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
		{"answered", Record{Outcome: Answered, Invite: start.Add(-3156 * time.Millisecond), Start: start}, 3156 * time.Millisecond, true},
		{"voicemail at once", Record{Outcome: Voicemail, Invite: start, Start: start}, 0, true},
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

func TestRecordEnded(t *testing.T) {
	minute := start.Add(time.Minute)
	tests := []struct {
		name   string
		record Record
		want   time.Time
	}{
		{"connected", Record{Outcome: Answered, Start: start, End: minute, Duration: 30 * time.Second}, minute},
		{"no end", Record{Outcome: Answered, Start: start, Duration: time.Minute}, minute},
		{"end before the duration is over", Record{Outcome: Answered, Start: start, End: start, Duration: time.Minute}, minute},
		{"not connected", Record{Outcome: NoAnswer, Start: start, End: minute, Duration: time.Minute}, start},
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
