package language

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Value says where a field comes from. It is a path, a mapping with one source of a text and its
// conversions, or a list of these: the first that gives a value wins.
type Value struct {
	alternatives []alternative
	Written      string // the text in the definition
}

// alternative is one source of a value.
type alternative struct {
	// Exactly one of these. Join are several paths, whose texts are joined by /.
	Path Path        `yaml:"path"`
	Join []Path      `yaml:"join"`
	Expr *expression `yaml:"expr"`
	Is   *string     `yaml:"is"`
	Q850 Path        `yaml:"q850"`
	SIP  Path        `yaml:"sip"`

	When  *Condition       `yaml:"when"`
	Match *capture         `yaml:"match"`
	Table map[string]entry `yaml:"table"`
	// Time are forms, which are tried in order. Year is infer if they have none.
	Time   Texts  `yaml:"time"`
	Year   string `yaml:"year"`
	Zone   *zone  `yaml:"zone"`
	Unit   string `yaml:"unit"`
	Negate bool   `yaml:"negate"`
	Since  Path   `yaml:"since"`
	// Minus is a length that is subtracted from a time.
	Minus Path `yaml:"minus"`
	// Networks names a parameter: an address becomes the name of the network that contains it.
	Networks string `yaml:"networks"`
	// Names is a list of the feed: an id becomes its name there.
	Names   string `yaml:"names"`
	Privacy string `yaml:"privacy"`

	line int // of the definition

	folded map[string]entry // Table in small letters

	codes func(text string) (e Ending, known bool, problem string) // the table of Q850 or SIP, whose path Path is then
}

// Units are the units of lengths of time.
var Units = []string{"s", "ms", "min", "iso8601", "hms"}

// percent is the unit of a loss that isn't a share.
const percent = "percent"

// Validate implements config.Validator.
func (a *alternative) Validate(r *config.Report) {
	ways := []string{"path", "join", "expr", "is", "q850", "sip"}
	if given := slices.DeleteFunc(ways, func(key string) bool { return !r.Given(key) }); len(given) != 1 {
		r.Problemf("", "must have exactly one of path, join, expr, is, q850 and sip")
	}
	if a.Unit != "" && a.Unit != percent && !slices.Contains(Units, a.Unit) {
		r.Problemf("unit", "must be one of %s", strings.Join(Units, ", "))
	}
	if a.Since != nil && len(a.Time) == 0 {
		r.Problemf("since", "needs time in the same mapping: %s", HowTimes)
	}
	if a.Minus != nil && (len(a.Time) == 0 || a.Since != nil) {
		r.Problemf("minus", "is subtracted from a time: it needs time in the same mapping, without since")
	}
	a.validateTime(r)
	if _, known := privacyClasses[a.Privacy]; !known {
		r.Problemf("privacy", "must be one of number, user, address, none")
	}
}

// validateTime reports forms of times without the day, and an inferred year although the form has
// one.
func (a *alternative) validateTime(r *config.Report) {
	if r.Given("time") && len(a.Time) == 0 {
		r.Problemf("time", "is empty: %s", HowTimes)
	}
	infer := a.Year == "infer"
	for _, form := range a.Time {
		switch {
		case HidesHalf(form):
			r.Problemf("time", "%s", HalfOfDay)
		case ForeignZone(form) != "":
			r.Problemf("time", "has %s %s", ForeignZone(form), HowZones)
		case tellsDay(form) || infer && tellsDay("2006 "+form):
		case !hasYear(form) && tellsDay("2006 "+form):
			r.Problemf("time",
				"has no year in %q; add year: infer to take the newest year that isn't in the future", form)
		default:
			r.Problemf("time", "needs year, month and day in %q: %s", form, HowTimes)
		}
	}
	r.OneOf("year", a.Year, "", "infer")
	if infer && !slices.ContainsFunc(a.Time, func(form string) bool { return !hasYear(form) }) {
		r.Problemf("year", "is for times without a year, and these have one; remove it")
	}
}

// At is the value of a column.
func At(column string) Value {
	return Value{alternatives: []alternative{{Path: Path{column}}}, Written: column}
}

// IsSet says whether the definition has the value.
func (v *Value) IsSet() bool { return len(v.alternatives) > 0 }

// DecodeNode implements config.NodeDecoder.
func (v *Value) DecodeNode(n *config.Node) {
	v.Written = n.Written()
	items := []*config.Node{n}
	if n.IsList() {
		items = n.Items()
	}
	if len(items) == 0 {
		n.Problemf("is empty; add at least one value")
	}
	for _, item := range items {
		var a alternative
		switch {
		case item.IsText():
			item.Decode(&a.Path)
		case item.IsMap():
			item.Decode(&a)
			if a.Q850 != nil {
				a.Path, a.codes = a.Q850, q850
			} else if a.SIP != nil {
				a.Path, a.codes = a.SIP, sip
			}
			a.Table = withBareKeys(a.Table)
			a.folded = foldedKeys(a.Table)
			for text, e := range a.Table {
				if a.codes == nil {
					break
				} else if _, known, _ := a.codes(e.Word); !known {
					item.Problemf("has %q for %q in its table, must be a code", e.Word, text)
				}
			}
		default:
			item.Problemf("must be a path, a mapping or a list of these, is %s", item.Form())
		}
		a.line = item.Line()
		v.alternatives = append(v.alternatives, a)
	}
}

// withBareKeys is a table whose texts have no blanks around them, like the values that are looked
// up.
func withBareKeys(table map[string]entry) map[string]entry {
	for _, text := range slices.Collect(maps.Keys(table)) {
		if bare := strings.TrimSpace(text); bare != text {
			table[bare] = table[text]
			delete(table, text)
		}
	}
	return table
}

// foldedKeys is a table by its texts in small letters. It lacks texts that are in the table in several spellings with
// different results.
func foldedKeys(table map[string]entry) map[string]entry {
	folded := make(map[string]entry, len(table))
	differ := make(map[string]bool)
	for text, e := range table {
		small := strings.ToLower(text)
		if was, there := folded[small]; there && was != e {
			differ[small] = true
		}
		folded[small] = e
	}
	maps.DeleteFunc(folded, func(small string, _ entry) bool { return differ[small] })
	return folded
}

// translate is the table's entry for a text: that of exactly this spelling, else of one with other capitals.
func (a *alternative) translate(text string) (e entry, known bool) {
	if e, known = a.Table[text]; !known {
		e, known = a.folded[strings.ToLower(text)]
	}
	return e, known
}

// capture is a regular expression (RE2) whose first group is the value.
type capture struct{ *regexp.Regexp }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *capture) UnmarshalText(text []byte) (err error) {
	if c.Regexp, err = regexp.Compile(string(text)); err != nil {
		return fmt.Errorf("isn't a valid regular expression (RE2): %w", err)
	}
	if c.NumSubexp() == 0 {
		return errors.New("must have a group, such as ^PJSIP/(.+)-; the value is what the first one matches")
	}
	return nil
}

// zone is a time zone by its name.
type zone struct{ *time.Location }

// UnmarshalText implements encoding.TextUnmarshaler.
func (z *zone) UnmarshalText(text []byte) (err error) {
	if z.Location, err = time.LoadLocation(string(text)); err != nil {
		return errors.New("must be a time zone such as Europe/Berlin")
	}
	return nil
}

// entry is a table's result for a text: a word or, for outcomes, a mapping with more.
type entry entryKeys

type entryKeys struct {
	Word   string `yaml:"outcome"`
	Reason string `yaml:"reason"`
	Fault  string `yaml:"fault_domain"`
}

// DecodeNode implements config.NodeDecoder.
func (e *entry) DecodeNode(n *config.Node) {
	if n.IsMap() {
		n.Decode((*entryKeys)(e))
	} else {
		n.Decode(&e.Word)
	}
}

// Validate implements config.Validator.
func (e *entryKeys) Validate(r *config.Report) {
	if _, known := faultDomains[e.Fault]; !known && e.Fault != "" {
		r.Problemf("fault_domain", "must be one of user, policy, sbc, carrier, provider, unknown")
	}
}

// privacyClasses are the names of privacy classes. Without one, a value that may be a number is
// hidden.
var privacyClasses = map[string]cdr.Privacy{
	"": cdr.Words, "number": cdr.Number, "user": cdr.User,
	"address": cdr.Address, "none": cdr.Plain,
}

// The words of a definition and their meanings.
var (
	OutcomeWords   = withNone(byName(cdr.Outcomes()...))
	PartyWords     = byName(cdr.Person, cdr.PartyVoicemail, cdr.PartyMachine, cdr.Onward, cdr.Own)
	DirectionWords = byName(cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown)
	TruthWords     = map[string]bool{"true": true, "false": false, "t": true, "f": false, "1": true, "0": false}
	ResultWords    = byName(cdr.QueueResults()...)
	faultDomains   = byName(cdr.FaultUnknown, cdr.FaultUser, cdr.FaultPolicy, cdr.FaultSBC, cdr.FaultCarrier,
		cdr.FaultProvider)
)

func byName[T fmt.Stringer](values ...T) map[string]T {
	all := make(map[string]T)
	for _, v := range values {
		all[v.String()] = v
	}
	return all
}

// NoOutcome is the word for a leg that doesn't say how its call ended.
const NoOutcome = "none"

func withNone(words map[string]cdr.Outcome) map[string]cdr.Outcome {
	words[NoOutcome] = cdr.Unknown
	return words
}

// Result is an alternative's result: a text, or a table's entry for it.
type Result struct {
	Text   string
	Row    string // the row's text that a table translated
	by     *alternative
	in     *Row
	Ending // from a table of codes or outcomes
}

// NoValue takes the place of a problem. It says that the alternative gives no value, as for a Unix
// time of 0.
const NoValue = "gives no value"

// get is the alternative's result for a row; by is nil if there is none. asked is a text that its
// table lacks.
func (a *alternative) get(r *Row) (g Result, asked, problem string) {
	if holds, problem := a.When.Holds(r); !holds {
		return g, "", problem
	}
	text, is, problem := a.source(r)
	if is != Single || problem != "" {
		if is == nested {
			problem = "is an object or a list"
		}
		return g, "", problem
	}
	if a.Match != nil {
		groups := a.Match.FindStringSubmatch(text)
		if groups == nil {
			return g, "", ""
		}
		text = groups[1]
	}
	if text = strings.TrimSpace(text); text == "" {
		return g, "", ""
	}
	if a.Networks != "" {
		if text = r.networkOf(a.Networks, text); text == "" {
			return g, "", ""
		}
	}
	if a.Names != "" {
		if text = strings.TrimSpace(r.Names[a.Names][text]); text == "" {
			return g, "", ""
		}
	}
	g, known := Result{Text: text, Row: text, by: a, in: r}, true
	switch {
	case a.codes != nil:
		code := text
		if a.Table != nil {
			e, _ := a.translate(text)
			code = e.Word
		}
		if known = code != ""; known {
			g.Ending, known, problem = a.codes(code)
		}
	case a.Table != nil:
		var e entry
		e, known = a.translate(text)
		g.Text, g.Ending = e.Word, Ending{Outcome: OutcomeWords[e.Word], Reason: e.Reason, Fault: faultDomains[e.Fault]}
	}
	if problem != "" {
		return Result{}, "", problem
	} else if !known {
		return Result{}, text, ""
	}
	return g, "", ""
}

// source is the text that the alternative starts with.
func (a *alternative) source(r *Row) (text string, is Form, problem string) {
	switch {
	case a.Is != nil:
		return *a.Is, formOf(*a.Is), ""
	case a.Expr != nil:
		return a.Expr.text(r)
	case a.Join == nil:
		text, is = r.Text(a.Path)
		return text, is, ""
	}
	parts := make([]string, len(a.Join))
	for i, p := range a.Join {
		if parts[i], is = r.Text(p); is != Single {
			return "", is, ""
		}
	}
	return strings.Join(parts, "/"), Single, ""
}
