package declared

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// timeZone is the key of a source's block for the zone of times that carry none.
const timeZone = "time_zone"

// allParameters are the definition's parameters and those that every definition read in the same way has.
func (d *Definition) allParameters() map[string]Parameter {
	all := make(map[string]Parameter)
	if d.needsZone() || d.SQL != nil {
		all[timeZone] = Parameter{Ask: "Time zone of the times that carry none, such as Europe/Berlin", optional: true}
	}
	d.addFileParameters(all)
	if d.SQL != nil {
		all[dsnKey] = Parameter{Secret: true, Ask: "DSN of the database, as its driver writes it"}
	}
	maps.Copy(all, d.pushParameters())
	maps.Copy(all, d.Parameters)
	return all
}

// needsZone says whether a time of some feed carries no zone, neither in the row nor in the definition.
func (d *Definition) needsZone() bool {
	for _, f := range d.Feeds {
		if f.Record.needsZone() {
			return true
		}
	}
	return false
}

var zoneInLayout = regexp.MustCompile(`Z07|-07|MST`)

func (d *Record) needsZone() bool {
	for _, v := range []*Value{&d.Start, &d.Answer, &d.End, &d.Duration, &d.QueueWait} {
		if slices.ContainsFunc(v.alternatives, func(a alternative) bool {
			switch a.Time {
			case "", "rfc3339", "rfc2822", "unix", "unix_ms", "unix_us":
				return false
			}
			return a.Zone == nil && !zoneInLayout.MatchString(a.Time)
		}) {
			return true
		}
	}
	return false
}

// validateZone reports a time zone that there isn't.
func (b *Block) validateZone(r *config.Report) {
	if _, err := b.zone(); err != nil {
		r.Problemf(timeZone, "must be a time zone such as Europe/Berlin")
	}
}

// zone is the zone of times that carry none: UTC unless the source says another.
func (b *Block) zone() (*time.Location, error) {
	if given := b.Values[timeZone]; len(given) == 1 {
		return time.LoadLocation(given[0])
	}
	return time.UTC, nil
}
