package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// doubts are signs of mistakes in a definition that lose no row.
type doubts struct {
	firsts map[string]countedBy // by id, of the first record with it
	groups map[string]plan.Span // by group: the time of its records
	found  []doubt
}

// countedBy are the values by which a record is counted.
type countedBy struct {
	version            int64
	start, answer, end time.Time
	duration           time.Duration
	outcome            cdr.Outcome
	direction          cdr.Direction
	trunk              string
}

// doubt is a sign, what to do about it, what the first record with it shows, and how many records have it.
type doubt struct {
	sign, todo, first string
	records           int
}

const (
	// mayExceed is by how much a duration may be longer than from start to end, and an answer before the start: some
	// systems round to minutes.
	mayExceed = time.Minute
	// mayRound is by how much times in whole seconds may differ from a duration, mayRing how long a telephone rings
	// that seems to ring for two seconds.
	mayRound, mayRing = time.Second, 3 * time.Second
	// legsApart is how far legs of one call may be apart in saved rows.
	legsApart = time.Hour
)

func newDoubts() *doubts {
	return &doubts{firsts: make(map[string]countedBy), groups: make(map[string]plan.Span)}
}

func (d *doubts) note(sign, todo, example string) {
	at := slices.IndexFunc(d.found, func(f doubt) bool { return f.sign == sign })
	if at < 0 {
		if at = len(d.found); example != "" {
			example = ", such as " + example
		}
		d.found = append(d.found, doubt{sign: sign, todo: todo, first: example})
	}
	d.found[at].records++
}

func (d *doubts) add(number int, r *cdr.Record) {
	if r.Provisional {
		return
	}
	d.addID(r)
	d.addGroup(r)
	d.addLength(number, r)
	for _, at := range [...]time.Time{r.Answer, r.End} {
		if before := r.Start.Sub(at); !at.IsZero() && before > mayExceed {
			d.note("have an answer or an end before their start", "see zone, and missing",
				fmt.Sprintf("row %d: %s earlier", number, before))
			break
		}
	}
	if slices.ContainsFunc(r.Charges, func(c cdr.Charge) bool { return c.Amount.Sign() < 0 }) {
		d.note("have charges below zero", "see negate", "")
	}
	if slices.ContainsFunc(r.Charges, func(c cdr.Charge) bool { return c.Currency == declared.UnknownCurrency }) {
		d.note("have charges without a currency, which count as XXX", "give currency", "")
	}
}

// addID compares a record with the first one that has its id.
func (d *doubts) addID(r *cdr.Record) {
	if r.ID == "" {
		return
	}
	is := countedBy{r.Version, r.Start, r.Answer, r.End, r.Duration, r.Outcome, r.Direction, r.Trunk}
	first, known := d.firsts[r.ID]
	if !known {
		d.firsts[r.ID] = is
		return
	}
	other := ""
	if !first.start.Equal(r.Start) {
		other = "another start"
	} else if first.version == r.Version && first != is {
		other = "other values"
	}
	if other != "" {
		d.note("have the id of another one and "+other, "records with one id are versions of one call",
			strconv.Quote(cdr.HideNumbers(r.ID)))
	}
}

// addGroup compares a record with the earlier ones of its group.
func (d *doubts) addGroup(r *cdr.Record) {
	if r.CallKey == "" || r.Start.IsZero() {
		return
	}
	leg := r.Leg()
	is := plan.Span{From: r.Start, To: plan.Latest(leg.Ended(), r.End)}
	if group, known := d.groups[r.CallKey]; known {
		if is.From.Sub(group.To) > legsApart || group.From.Sub(is.To) > legsApart {
			d.note("share their group with records from over an hour before or after", "see group",
				strconv.Quote(cdr.HideNumbers(r.CallKey)))
		}
		is = plan.Span{From: plan.Earliest(is.From, group.From), To: plan.Latest(is.To, group.To)}
	}
	d.groups[r.CallKey] = is
}

// addLength compares a record's duration with its times and its outcome.
func (d *doubts) addLength(number int, r *cdr.Record) {
	between, row := r.End.Sub(r.Start), fmt.Sprintf("row %d", number)
	switch {
	case r.Start.IsZero() || r.End.IsZero() || between < 0:
	case r.Duration > between+mayExceed:
		d.note("have a duration longer than from start to end", "see its unit",
			fmt.Sprintf("%s: %s in %s", row, r.Duration, between))
	case r.Outcome.Connected() && r.Answer.Sub(r.Start) > mayRing && (between-r.Duration).Abs() <= mayRound:
		d.note("last as long as from start to end but were answered later", "does the duration include ringing?",
			fmt.Sprintf("%s: %s, answered after %s", row, r.Duration, r.Answer.Sub(r.Start)))
	}
	if r.Outcome.Connected() && !r.NoOutcome && r.NoDuration && r.Connected.Value == 0 {
		d.note("connected but have no duration", "give duration, or answer and end", row)
	}
}

func (d *doubts) print(w io.Writer) {
	for _, f := range d.found {
		fmt.Fprintf(w, "%d records %s%s: %s\n", f.records, f.sign, f.first, f.todo)
	}
}
