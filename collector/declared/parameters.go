package declared

import (
	"maps"
	"regexp"
	"slices"
	"time"
)

// timeZone is the key of a source's block for the zone of times that carry none.
const timeZone = "time_zone"

// allParameters are the definition's parameters and those that every definition read in the same way has.
func (d *Definition) allParameters() map[string]Parameter {
	all := make(map[string]Parameter)
	if d.SQL != nil || slices.ContainsFunc(slices.Collect(maps.Values(d.Feeds)), func(f Feed) bool { return f.Record.needsZone() }) {
		all[timeZone] = Parameter{Ask: "Time zone of the times that carry none, such as Europe/Berlin", optional: true}
	}
	if d.Files != nil {
		all[pathsKey] = Parameter{Ask: "Files to read, such as /var/log/acmetel/*.csv", List: true, optional: true}
		if d.Files.Format == formatCSV {
			all[columnsKey] = Parameter{List: true, optional: true}
		}
	}
	if d.SQL != nil {
		all[dsnKey] = Parameter{Secret: true, Ask: "DSN of the database, as its driver writes it"}
	}
	if d.Push != nil { // beside files a token turns it on
		all[pushToken] = Parameter{Ask: "Token that the system posts its records with, of your choice", Secret: true, optional: d.Files != nil}
		all[insecureHTTP] = Parameter{optional: true}
	}
	maps.Copy(all, d.Parameters)
	return all
}

var zoneInLayout = regexp.MustCompile(`Z07|-07|MST`)

// needsZone says whether a time carries no zone, neither in the row nor in the definition.
func (d *Record) needsZone() bool {
	times := slices.Concat(d.Start.alternatives, d.Answer.alternatives, d.End.alternatives, d.Duration.alternatives, d.QueueWait.alternatives)
	return slices.ContainsFunc(times, func(a alternative) bool {
		_, carriesZone := timeForms[a.Time]
		return a.Time != "" && !carriesZone && a.Zone == nil && !zoneInLayout.MatchString(a.Time)
	})
}

// zone is the zone of times that carry none: UTC unless the source says another.
func (b *Block) zone() (*time.Location, error) {
	if given := b.Values[timeZone]; len(given) == 1 {
		return time.LoadLocation(given[0])
	}
	return time.UTC, nil
}
