package laws

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// recordFields are the fields of a record by their names in a definition. Charges without a currency have the one that
// is given.
func recordFields(r *cdr.Record, currency string) map[string]string {
	out := map[string]string{
		"id": strings.Join(append([]string{r.ID}, r.AltIDs...), ", "), "group": r.CallKey, "parent": r.Parent,
		"call_type": r.CallType, "trunk": r.Trunk, "channel": r.Channel, "reason": r.Reason, "country": r.Country,
		"caller": r.CallerNumber, "callee": r.CalleeNumber, "user_id": r.UserID, "user_name": r.UserName,
	}
	set := func(key string, known bool, value any) {
		if known {
			out[key] = fmt.Sprint(value)
		}
	}
	set("call_id", r.CallID != cmp.Or(r.CallKey, r.ID), r.CallID)
	set("version", r.Version != 0, r.Version)
	for key, at := range map[string]time.Time{"start": r.Start, "answer": r.Answer, "end": r.End} {
		set(key, !at.IsZero(), timeText(at))
	}
	set("outcome", !r.NoCall, r.Outcome)
	set("outcome", !r.NoCall && r.NoOutcome, "none")
	for key, length := range recordLengths(r) {
		set(key, length.Known, length.Value)
	}
	set("sip_code", r.SIPCode.Known, r.SIPCode.Value)
	set("direction", r.Direction != cdr.DirectionUnknown, r.Direction)
	set("party", r.Party != cdr.Person, r.Party)
	set("fault_domain", r.FaultDomain != cdr.FaultUnknown, r.FaultDomain)
	set("emergency", r.Emergency != cdr.NoEmergency, true)
	set("whole", r.Whole, true)
	if l := r.Second; l != nil {
		out["second.trunk"], out["second.channel"], out["second.outcome"] = l.Trunk, l.Channel, l.Outcome.String()
		set("second.outcome", l.NoOutcome, "none")
	}
	var charges, recordings []string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+cmp.Or(c.Currency, currency)))
	}
	for _, recording := range r.Recordings {
		recordings = append(recordings, recording.ID)
	}
	out["charges"], out["recording_id"] = strings.Join(charges, ", "), strings.Join(recordings, ", ")
	for i := range r.Visits {
		v := &r.Visits[i]
		out["queue"], out["queue_result"] = v.Queue, v.Result.String()
	}
	for i, s := range r.Streams {
		out[fmt.Sprintf("media.%d", i)] = qualityText(&s)
	}
	for _, l := range r.ProviderLabels {
		out["labels."+l.Name] = l.Value
	}
	for i := range r.Extra {
		out["extra."+r.Extra[i].Key] = r.Extra[i].Str + privacyClasses[r.Extra[i].Privacy]
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// recordLengths are the lengths of time of a record by their names.
func recordLengths(r *cdr.Record) map[string]cdr.Length {
	var wait cdr.Length
	for i := range r.Visits {
		wait = r.Visits[i].Wait
	}
	return map[string]cdr.Length{
		"duration": {Value: r.Duration, Known: !r.NoCall && !r.NoDuration}, "ringing": r.Ringing, "talk": r.Talk,
		"connected": r.Connected, "queue_wait": wait,
	}
}

// privacyClasses are what stands behind a value that is personal.
var privacyClasses = map[cdr.Privacy]string{cdr.Number: " (number)", cdr.User: " (user)", cdr.Address: " (address)"}

// qualityText describes the measurements of a stream.
func qualityText(s *cdr.Stream) string {
	parts := []string{"to_caller"}
	if s.ToCallee {
		parts[0] = "to_callee"
	}
	if s.NoSender {
		parts[0] = "unknown"
	}
	add := func(name string, known bool, value any) {
		if known {
			parts = append(parts, fmt.Sprintf("%s=%v", name, value))
		}
	}
	add("jitter", s.Jitter.Known, s.Jitter.Value)
	add("round_trip", s.RoundTrip.Known, s.RoundTrip.Value)
	add("loss", s.Loss.Known, s.Loss.Value)
	add("mos", s.MOS.Known, s.MOS.Value)
	add("packets", s.Packets.Known, s.Packets.Value)
	return strings.Join(parts, " ")
}

// differences are the fields of a record that aren't as tests have them. currency is for charges that name none.
func differences(want map[string]string, r *cdr.Record, currency string) (all []string) {
	if !namesCurrency(want) { // then the row has none
		currency = ""
	}
	got := recordFields(r, currency)
	for key := range got {
		if _, is := want[key]; !is {
			all = append(all, fmt.Sprintf("%s is %q, which tests don't have", key, got[key]))
		}
	}
	for key, text := range want {
		value, is := got[key]
		switch {
		case !is && isUnsaid(key, text, got):
		case !is:
			all = append(all, fmt.Sprintf("%s is missing, want %q", key, text))
		case !sameValue(key, text, value):
			all = append(all, fmt.Sprintf("%s is %q, want %q", key, value, text))
		}
	}
	slices.Sort(all)
	return all
}

// namesCurrency says whether a charge of tests names its currency.
func namesCurrency(want map[string]string) bool {
	return slices.ContainsFunc(strings.Split(want["charges"], ","), func(charge string) bool {
		return len(strings.Fields(charge)) > 2
	})
}

// isUnsaid says whether a field is what a record has that doesn't say it.
func isUnsaid(key, text string, got map[string]string) bool {
	switch key {
	case "party":
		return text == cdr.Person.String()
	case "direction", "fault_domain":
		return text == "unknown"
	case "call_id":
		return text == cmp.Or(got["group"], got["id"])
	}
	return false
}

// sameValue compares what tests have of a field with what a record has, times and lengths by what they mean.
func sameValue(key, want, got string) bool {
	switch key {
	case "start", "answer", "end":
		at, err := time.Parse(time.RFC3339, want)
		return err == nil && timeText(at) == got
	case "version":
		if at, err := time.Parse(time.RFC3339, want); err == nil {
			want = strconv.FormatInt(at.UnixMicro(), 10)
		}
	case "charges":
		return plainAmounts(want) == plainAmounts(got)
	}
	if _, is := recordLengths(new(cdr.Record))[key]; is {
		length, err := time.ParseDuration(want)
		return err == nil && length.String() == got
	}
	if strings.HasPrefix(key, "media.") && !strings.Contains(want, " packets=") { // tests may leave it out
		got, _, _ = strings.Cut(got, " packets=")
	}
	return want == got
}

func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// plainAmounts are charges whose amounts are written in one form.
func plainAmounts(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if amount, err := cdr.ParseMoney(strings.TrimSuffix(word, ",")); err == nil {
			words[i] = amount.String()
		}
	}
	return strings.Join(words, " ")
}
