package providertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Row is a record as JSON shows it: what is at its zero value is left out. It outlives the page.
type Row map[string]any

// RowOf shows a record. Its further attributes get a prefix, such as cdr.msgraph.
func RowOf(r *cdr.Record, prefix string) Row {
	out := Row{}
	for key, value := range map[string]string{
		"ID": r.ID, "AltIDs": strings.Join(r.AltIDs, " "), "Synthetic": r.Synthetic, "CallID": r.CallID,
		"CallKey": r.CallKey, "Parent": r.Parent, "Channel": r.Channel,
		"CallType": r.CallType, "Trunk": r.Trunk, "Reason": r.Reason, "ReasonPhrase": r.ReasonPhrase,
		"Country":     r.Country,
		"MediaBypass": r.MediaBypass.String(), "MediaLocation": r.MediaLocation, "SignalLocation": r.SignalLocation,
		"Emergency": [...]string{"", "real", "test"}[r.Emergency], "CallerNumber": r.CallerNumber,
		"CalleeNumber": r.CalleeNumber,
		"UserID":       r.UserID, "UserName": r.UserName, "UserPrincipal": r.UserPrincipal,
	} {
		if value != "" {
			out[key] = strings.Clone(value)
		}
	}
	for key, at := range map[string]time.Time{"Invite": r.Invite, "Start": r.Start, "Answer": r.Answer, "End": r.End} {
		if !at.IsZero() {
			out[key] = at.Format(time.RFC3339Nano)
		}
	}
	for key, code := range map[string]cdr.Int{
		"SIPCode": r.SIPCode, "SubCode": r.SubCode, "Version": {Value: r.Version, Known: r.Version != 0},
	} {
		if code.Known {
			out[key] = code.Value
		}
	}
	for key, set := range map[string]bool{"Provisional": r.Provisional, "NoOutcome": r.NoOutcome, "Whole": r.Whole} {
		if set {
			out[key] = true
		}
	}
	for key, span := range map[string]cdr.Length{"Talk": r.Talk, "Connected": r.Connected, "Ringing": r.Ringing} {
		if span.Known {
			out[key] = span.Value.String()
		}
	}
	out["Direction"], out["Outcome"], out["Duration"] = r.Direction.String(), r.Outcome.String(), r.Duration.String()
	if r.NoDuration {
		out["Duration"] = "none"
	}
	out.lists(r)
	for i := range r.Extra {
		out[prefix+r.Extra[i].Key] = attribute(&r.Extra[i])
	}
	return out
}

// lists shows what there may be several of.
func (out Row) lists(r *cdr.Record) {
	var charges, recordings, legs, visits []string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+c.Currency))
	}
	for _, rec := range r.Recordings {
		recordings = append(recordings, strings.TrimSpace(rec.ID+" "+rec.Type))
	}
	for _, l := range r.Legs {
		leg := strings.TrimSpace(l.Type + " " + l.Outcome.String())
		if l.Party != cdr.Person {
			leg += " " + l.Party.String()
		}
		if l.Master {
			leg += " master"
		}
		if l.Duration.Known {
			leg += fmt.Sprint(" ", l.Start.Format(time.RFC3339), " ", l.Duration.Value)
		}
		legs = append(legs, leg)
	}
	for _, v := range r.Visits {
		wait := "unknown"
		if v.Wait.Known {
			wait = v.Wait.Value.String()
		}
		visits = append(visits, strings.Join([]string{v.Queue, v.Result.String(), wait}, " "))
	}
	for key, list := range map[string][]string{
		"Charges": charges, "Recordings": recordings, "Legs": legs,
		"Visits": visits,
	} {
		if list != nil {
			out[key] = list
		}
	}
}

// attribute shows a value with the class of what is personal.
func attribute(a *cdr.Attr) string {
	value := strings.Clone(a.Str)
	switch a.Type {
	case cdr.StringsAttr:
		value = strings.Join(a.Strs, ",")
	case cdr.BoolAttr, cdr.IntAttr:
		value = fmt.Sprint(a.Int)
	case cdr.StringAttr:
	}
	return value + [...]string{"", " (number)", " (user)", " (address)", ""}[a.Privacy]
}

// Want compares some fields; nil wants one that is absent.
func (out Row) Want(t testing.TB, fields Row) {
	t.Helper()
	for key, want := range fields {
		if got, exists := out[key]; fmt.Sprint(got) != fmt.Sprint(want) || exists == (want == nil) {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

// Unmapped shows values that a mapping doesn't know: [{field value} …].
func Unmapped(all []collector.Unmapped) string {
	texts := make([]string, len(all))
	for i, u := range all {
		texts[i] = "{" + u.Field + " " + u.Value + "}"
	}
	return "[" + strings.Join(texts, " ") + "]"
}
