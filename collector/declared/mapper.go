package declared

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
)

// Mapper makes records from the rows of a feed. It is for one goroutine.
type Mapper struct {
	feed      *Feed
	row       language.Row
	extra     []string            // keys, sorted
	labels    []string            // names, sorted
	ignore    *language.Condition // the source's
	zones     []*time.Location    // of times that have none, if clocks may be set back there
	trace     string              // the definition's file; empty: origins aren't noted
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers
	leg       *Mapper           // for the legs within a row; nil without legs
	unseen    map[string]unseen // of Try
	mayWait   bool              // rows may be open legs

	function rowmap.Map // completes the records; nil without one
	raw      []byte     // the row, for function
}

// MapperSettings are a source's settings for a mapper.
type MapperSettings struct {
	Parameters map[string][]string
	// Zone is the zone of times without one.
	Zone *time.Location
	// Now is the clock, for times without a year; nil: time.Now.
	Now func() time.Time
	// Ignore is the source's own: further rows that aren't calls.
	Ignore *language.Condition
	// Trace asks for origins, by the name of the definition's file; empty: none.
	Trace            string
	EmergencyNumbers []string
}

// NewMapper makes a mapper of a feed.
func NewMapper(feed *Feed, s MapperSettings) *Mapper {
	m := &Mapper{
		feed: feed, ignore: s.Ignore, trace: s.Trace,
		extra: slices.Sorted(maps.Keys(feed.Record.Extra)), labels: slices.Sorted(maps.Keys(feed.Record.Labels)),
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(s.EmergencyNumbers),
	}
	if feed.Legs != nil {
		m.leg = NewMapper(&Feed{
			Record: feed.Legs.Record, lists: feed.lists, Encoded: feed.Encoded, Missing: feed.Missing,
		}, s)
	}
	m.mayWait = (feed.Final != nil || feed.function() != nil) && feed.sharesCalls(s.Parameters)
	if f := feed.function(); f != nil {
		m.function = f.New(rowmap.Settings{
			Parameters: s.Parameters, Legs: feed.sharesCalls(s.Parameters), EmergencyNumbers: s.EmergencyNumbers,
		})
	}
	if m.row.Zone = s.Zone; m.row.Zone == nil {
		m.row.Zone = time.UTC
	}
	for _, v := range [...]*language.Value{&feed.Record.Start, &feed.Record.Answer, &feed.Record.End} {
		for _, zone := range v.Zones(m.row.Zone) {
			if zone != time.UTC && !slices.Contains(m.zones, zone) {
				m.zones = append(m.zones, zone)
			}
		}
	}
	if m.row.Now = s.Now; m.row.Now == nil {
		m.row.Now = time.Now
	}
	m.row.Parameters, m.row.Lists = s.Parameters, feed.lists
	m.row.Percent, m.row.Missings = feed.Encoded == "url", feed.Missing
	return m
}

// Map implements rowmap.Mapper.
func (m *Mapper) Map(r *rows.Row) rowmap.Result {
	switch {
	case r.Problem != "":
		return rowmap.Result{Invalid: r.Problem}
	case r.Columns != nil || r.Raw == nil: // a table may have no columns
		return m.MapFields(r.Columns, r.Fields)
	}
	return m.MapJSON(r.Raw)
}

// MapJSON maps a row of valid JSON.
func (m *Mapper) MapJSON(raw []byte) rowmap.Result {
	if !m.row.SetJSON(raw) {
		return rowmap.Result{Invalid: "it isn't an object"}
	}
	m.raw = raw
	return m.mapValues()
}

// MapFields maps a row of columns.
func (m *Mapper) MapFields(columns, fields []string) rowmap.Result {
	m.row.SetFields(columns, fields)
	return m.mapValues()
}

func (m *Mapper) mapValues() rowmap.Result {
	for _, c := range [...]*language.Condition{m.feed.Ignore, m.ignore} {
		if c == nil {
			continue
		}
		if ignored, problem := c.Holds(&m.row); problem != "" {
			return rowmap.Result{Invalid: "ignore: " + problem}
		} else if ignored {
			return rowmap.Result{Ignored: true, Leg: m.ignoredLeg()}
		}
	}
	if m.function != nil {
		return m.mapByFunction()
	}
	if m.feed.Snapshot {
		return m.inProgress()
	}
	p := &mapping{Mapper: m, record: new(cdr.Record)}
	final, problem := m.feed.Final.Holds(&m.row)
	if problem != "" {
		return rowmap.Result{Invalid: "final: " + problem}
	}
	p.record.Provisional = !final
	if m.feed.Whole != nil {
		if p.record.Whole, problem = m.feed.Whole.Holds(&m.row); problem != "" {
			return rowmap.Result{Invalid: "whole: " + problem}
		}
	}
	p.fill()
	if p.problem != "" && final {
		return rowmap.Result{Invalid: p.problem}
	}
	if !final {
		return rowmap.Result{Record: p.record} // its other values aren't final
	}
	return rowmap.Result{Record: p.record, Unmapped: p.unmapped}
}

// ignoredLeg has the ids and the start of an ignored row that may have been an open leg before; nil: it wasn't one.
func (m *Mapper) ignoredLeg() *cdr.Record {
	if !m.mayWait {
		return nil
	}
	p := &mapping{Mapper: m, record: new(cdr.Record)}
	p.ids()
	if p.record.Start = p.time("start", &m.feed.Record.Start); p.record.ID == "" || p.record.Start.IsZero() {
		return nil
	}
	return p.record
}

// mapping is the state of mapping one row.
type mapping struct {
	*Mapper

	record   *cdr.Record
	unmapped []collector.Unmapped
	problem  string     // the first one
	inner    *innerCall // the call of the legs within the row; nil without legs
	isLeg    bool       // the row is a leg within another one
}

func (p *mapping) fill() {
	d, r := &p.feed.Record, p.record
	p.ids()
	r.CallKey, r.Parent = p.text("group", &d.Group), p.text("parent", &d.Parent)
	if r.Parent == r.ID || slices.Contains(r.AltIDs, r.Parent) {
		r.Parent = ""
	}
	r.CallID = cmp.Or(p.text("call_id", &d.CallID), r.CallKey, r.ID)
	r.Version, _ = read(p, "version", &d.Version, (*language.Result).Version)
	p.times()
	p.innerLegs()
	r.NoCall = !p.feed.countsCalls()
	switch p.feed.Counts {
	case queueVisits:
		p.visitAlone()
	case mediaStreams:
		if p.media(); r.Start.IsZero() {
			r.Start = r.End
		}
	}
	if p.inner != nil {
		p.completeLegs()
	}
	if r.Start.IsZero() {
		p.fail("start", "is missing")
	}
	if !r.NoCall {
		p.call()
	}
	p.extras()
	if r.ID == "" && (!d.ID.IsSet() || p.feed.WithoutID) {
		r.Synthetic = p.syntheticKey()
	}
}

// times reads when the call began, was answered and ended.
func (p *mapping) times() {
	d, r := &p.feed.Record, p.record
	values, times := [...]*language.Value{&d.Start, &d.Answer, &d.End}, [...]*time.Time{&r.Start, &r.Answer, &r.End}
	for i, field := range [...]string{"start", "answer", "end"} {
		*times[i] = p.time(field, values[i])
	}
	at := cmp.Or(r.Start, r.Answer, r.End)
	if !slices.ContainsFunc(p.zones, func(zone *time.Location) bool { return language.SetBack(at, zone) }) {
		return
	}
	moments := make([]language.Moment, len(values))
	for i := range moments {
		other := language.Read(&p.row, values[i], (*language.Result).Other)
		moments[i] = language.Moment{At: *times[i], Other: other.Value}
	}
	language.InOrder(moments)
	for i := range moments {
		*times[i] = moments[i].At
	}
}

// call reads the fields that only calls have.
func (p *mapping) call() {
	d, r := &p.feed.Record, p.record
	if !r.Answer.IsZero() {
		r.Invite = r.Start // the start is the invite: setup time is answer − start
	}
	p.lengths()
	p.outcome()
	p.parties()
	r.Trunk, r.CallType = cdr.HideNumbers(p.text("trunk", &d.Trunk)), cdr.CallType(p.word("call_type", &d.CallType))
	r.Channel = p.text("channel", &d.Channel)
	r.Party, _ = readWord(p, "party", &d.Party, language.PartyWords, notParty)
	if p.inner != nil {
		p.takeFromLegs()
	} else if p.secondTrunk(); r.Party != cdr.Person && r.CallKey == "" && !d.Parent.IsSet() {
		// counting uses its outcome unchanged
		r.Outcome = calls.Of([]cdr.Leg{r.Leg()}).Outcome
	}
	p.charges()
	if id := p.text("recording_id", &d.RecordingID); id != "" {
		r.Recordings = append(r.Recordings, cdr.Recording{ID: id})
	}
	p.visit()
	p.media()
	p.tellLabels()
}

// secondTrunk adds the attempt on the second trunk of a row that leads from one trunk onto another. It
// took as long as the row's own leg. With the outcome none it only takes that time.
func (p *mapping) secondTrunk() {
	d, r, unmapped := &p.feed.Record.Second, p.record, p.unmapped
	trunk := cdr.HideNumbers(p.text("second.trunk", &d.Trunk))
	if trunk == "" {
		return
	}
	result, found := read(p, "second.outcome", &d.Outcome, (*language.Result).Outcome)
	p.unmapped = unmapped // the row's own outcome reports it
	second := new(r.Leg())
	second.Direction, second.Trunk, second.Channel = cdr.Outbound, trunk, p.text("second.channel", &d.Channel)
	if second.NoOutcome = result.None || !found; !result.None {
		second.Outcome = result.Outcome
	}
	second.Implied, second.Whole = true, false
	r.Second = second
}

// lengths reads the lengths of time of a call or a leg. It was connected from answer to end, unless the row has a
// duration.
func (p *mapping) lengths() {
	d, r := &p.feed.Record, p.record
	r.Ringing.Value, r.Ringing.Known = read(p, "ringing", &d.Ringing, (*language.Result).Length)
	duration, found := read(p, "duration", &d.Duration, (*language.Result).Length)
	r.Duration, r.NoDuration = duration, !found
	r.DeriveDuration()
}

// ids reads every id of the row; an id that the definition names must be there.
func (p *mapping) ids() {
	v := &p.feed.Record.ID
	for one := range v.Each() {
		id := p.text("id", one)
		switch {
		case id == "" || id == p.record.ID:
		case p.record.ID == "":
			p.record.ID = id
		default:
			p.record.AltIDs = append(p.record.AltIDs, id)
		}
	}
	if v.IsSet() && p.record.ID == "" && p.function == nil && !p.feed.WithoutID {
		p.fail("id", "is missing")
	}
}

// The problems of a text that isn't one of a field's words.
const (
	notDirection = "is none of inbound, outbound, internal, unknown, and no table translates it"
	notParty     = "is none of person, voicemail, machine, onward, own, and no table translates it"
)

func (p *mapping) outcome() {
	d, r, unmapped := &p.feed.Record, p.record, len(p.unmapped)
	result, found := read(p, "outcome", &d.Outcome, (*language.Result).Outcome)
	r.Outcome, r.NoOutcome, r.Reason, r.FaultDomain = result.Outcome, result.None, result.Reason, result.Fault
	switch {
	case p.inner.by() != nil: // the legs give it
		p.unmapped = p.unmapped[:unmapped]
	case found || len(p.unmapped) > unmapped:
	case p.isLeg:
		r.NoOutcome = true
	default:
		p.fail("outcome", "is missing")
	}
	if code, found := p.integer("sip_code", &d.SIPCode, 32, "isn't a SIP code"); found {
		r.SIPCode = cdr.KnownInt(code)
	}
}

func (p *mapping) charges() {
	for i := range p.feed.Record.Charges {
		c := &p.feed.Record.Charges[i]
		unmapped := len(p.unmapped)
		charge := cdr.Charge{Component: c.Component, Currency: p.code("currency", p.word("currency", &c.Currency), 3)}
		if len(p.unmapped) > unmapped {
			charge.Currency = UnknownCurrency // the row has a currency, so the source's would be a guess
		}
		var found bool
		if charge.Amount, found = read(p, "amount", &c.Amount, (*language.Result).Amount); found {
			p.record.Charges = append(p.record.Charges, charge)
		}
	}
}

// extras adds the values that only go to log records. A value that may be a number is hidden there
// unless the definition gives its privacy.
func (p *mapping) extras() {
	for _, key := range p.extra {
		v := p.feed.Record.Extra[key]
		attr, found := readAs(p, "extra."+key, &v, true, func(g *language.Result) (cdr.Attr, string) {
			return cdr.Text(key, strings.Clone(g.Text), g.Privacy()), ""
		})
		if found {
			p.record.Extra = append(p.record.Extra, attr)
		}
	}
}

// tellLabels adds the values that the operator may use as labels.
func (p *mapping) tellLabels() {
	for _, name := range p.labels {
		v := p.feed.Record.Labels[name]
		if text := p.text("labels."+name, &v); text != "" {
			p.record.ProviderLabels = append(p.record.ProviderLabels, cdr.Label{Name: name, Value: text})
		}
	}
}
