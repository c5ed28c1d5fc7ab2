package daily

import (
	"encoding/json"
	"testing"
	"time"
)

// TestDate: a date is the UTC day of a time of any zone, compares with ==, and survives JSON.
func TestDate(t *testing.T) {
	late := time.Date(2026, 3, 28, 23, 30, 0, 0, time.FixedZone("", -3600))
	date := DateOf(late)
	if date != DateOf(late.UTC()) || date.String() != "2026-03-29" || date.Add(-1) == date || date.Add(3).Day() != 1 {
		t.Errorf("%s", date)
	}
	text, err := json.Marshal(Totals{Day: date})
	var back Totals
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || back.Day != date || string(text) != `{"day":"2026-03-29","records":0,"late":0,"revised":0}` {
		t.Errorf("%s: %s, %v", text, back.Day, err)
	}
}
