package incident

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Report is the report of the failures. Its times are UTC.
type Report struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Trunk is the trunk that is reported; empty means all.
	Trunk string `json:"trunk"`
	// Numbers is how numbers are shown.
	Numbers string `json:"numbers"`
	// Misdialled and NotAllowed calls aren't failures of the network.
	Misdialled int `json:"misdialled"`
	NotAllowed int `json:"not_allowed"`
	// Failing are the lines with failures of the network, the longest outage first.
	Failing   []Failing  `json:"failing"`
	Affected  []Affected `json:"affected"`
	Causes    []Cause    `json:"causes"`
	Calls     []Call     `json:"calls"`
	Meanwhile []Other    `json:"meanwhile"`
	// Callers are the callers with the longest calls.
	Callers []Caller `json:"callers"`
}

// Counts are the calls of a line.
type Counts struct {
	Attempts     int `json:"attempts"`
	Connected    int `json:"connected"`
	Failed       int `json:"failed"`
	NotConnected int `json:"not_connected"`
}

// Failing is a line with failures of the network.
type Failing struct {
	Line
	Counts

	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// InARow to NextAfter are of the longest run: its length, its first and last failure, and the
	// connected calls before and after it, if there are any.
	InARow     int       `json:"in_a_row"`
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	LastBefore time.Time `json:"last_before,omitzero"`
	NextAfter  time.Time `json:"next_after,omitzero"`
	// ReadTo is the start of the feed's newest call.
	ReadTo time.Time `json:"read_to"`
}

// Affected is a value of the operator's labels, with how many failures have it.
type Affected struct {
	Line

	Label string `json:"label"`
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Code is why a call failed. A SIP or sub code is a number, nil without one.
type Code struct {
	Outcome     string `json:"outcome"`
	SIPCode     any    `json:"sip_code,omitempty"`
	SubCode     any    `json:"sub_code,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Words       string `json:"words"`
	FaultDomain string `json:"fault_domain"`
}

// Cause is a reason with the number of calls that failed for it.
type Cause struct {
	Line
	Code

	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Call is a failed call of the sample.
type Call struct {
	Line
	Code

	Start     time.Time `json:"start"`
	ID        string    `json:"id,omitempty"`
	CallID    string    `json:"call_id,omitempty"`
	SIPCallID string    `json:"sip_call_id,omitempty"`
	Caller    string    `json:"caller,omitempty"`
	Callee    string    `json:"callee,omitempty"`
}

// Other counts the calls of another line during the incident.
type Other struct {
	Line
	Counts

	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Caller is who made outbound calls to a country.
type Caller struct {
	Source      string `json:"source"`
	Feed        string `json:"feed"`
	Country     string `json:"country,omitempty"`
	NumberClass string `json:"number_class,omitempty"`
	User        string `json:"user,omitempty"`
	Extension   string `json:"extension,omitempty"`
	Caller      string `json:"caller,omitempty"`
	Connected   int    `json:"connected"`
	Minutes     string `json:"minutes"`
	Charges     string `json:"charges,omitempty"`
}

// AffectedOf are the rows of a line.
func (r *Report) AffectedOf(l Line) []Affected { return ofLine(r.Affected, l) }

// CausesOf are the rows of a line.
func (r *Report) CausesOf(l Line) []Cause { return ofLine(r.Causes, l) }

// CallsOf are the rows of a line.
func (r *Report) CallsOf(l Line) []Call { return ofLine(r.Calls, l) }

func (l Line) line() Line { return l }

func ofLine[T interface{ line() Line }](rows []T, l Line) (same []T) {
	for _, row := range rows {
		if row.line() == l {
			same = append(same, row)
		}
	}
	return same
}

// report makes the report of what was found.
func (f *found) report() *Report {
	r := &Report{
		From: f.from, To: f.to, Trunk: f.trunk, Numbers: "configured", Failing: []Failing{}, Affected: []Affected{},
		Causes: []Cause{}, Calls: []Call{}, Meanwhile: []Other{}, Callers: []Caller{},
	}
	for _, l := range f.failing {
		r.Failing = append(r.Failing, Failing{
			Line: l.Line, Counts: l.counts(), First: l.failures.first(), Last: l.failures.last(),
			InARow: len(l.longest.failures), Since: l.longest.first(), Until: l.longest.last(),
			LastBefore: l.longest.before.UTC(), NextAfter: l.longest.after.UTC(),
			ReadTo: f.read[[2]string{l.Source, l.Feed}].UTC(),
		})
		r.Affected = append(r.Affected, l.affected()...)
		for _, c := range l.longest.failures[:min(len(l.longest.failures), mostSamples)] {
			r.Calls = append(r.Calls, Call{
				Line: l.Line, Code: c.code(), Start: c.start.UTC(), ID: c.id, CallID: c.callID, SIPCallID: c.sipCallID,
				Caller: c.caller, Callee: c.callee,
			})
		}
	}
	for _, l := range f.lines {
		for _, c := range l.causes {
			switch c[0].outcome {
			case cdr.InvalidNumber:
				r.Misdialled += len(c)
			case cdr.NotAllowed:
				r.NotAllowed += len(c)
			default:
			}
			r.Causes = append(r.Causes, Cause{
				Line: l.Line, Code: c[0].code(), Count: len(c), First: c.first(), Last: c.last(),
			})
		}
	}
	return r
}

// meanwhile counts the calls of other lines during the incident.
func (f *found) meanwhile(calls map[Line][]call) []Other {
	first, last := f.span()
	others := []Other{}
	for _, l := range f.others(calls) {
		others = append(others, Other{Line: l.Line, Counts: l.counts(), First: first.UTC(), Last: last.UTC()})
	}
	return others
}

func (l *lineCalls) counts() Counts {
	c := Counts{Attempts: l.attempts, Connected: l.connected}
	for _, f := range l.failures {
		switch f.outcome {
		case cdr.Failed:
			c.Failed++
		case cdr.NotConnected:
			c.NotConnected++
		default:
		}
	}
	return c
}

func (c *cause) code() Code {
	return Code{
		Outcome: c.outcome.String(), SIPCode: number(c.sip), SubCode: number(c.sub), Reason: c.reason,
		Words: c.words(), FaultDomain: c.domain.String(),
	}
}

func number(n cdr.Int) any {
	if !n.Known {
		return nil
	}
	return n.Value
}
