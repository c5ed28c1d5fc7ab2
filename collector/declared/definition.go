package declared

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/push"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/sql"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Definition describes a provider.
type Definition struct {
	Provider string `yaml:"provider"`
	Title    string `yaml:"title"`
	Replaces bool   `yaml:"replaces"`
	// Extends is the built-in definition that provides what the file doesn't set.
	Extends    string               `yaml:"extends"`
	Parameters map[string]Parameter `yaml:"parameters"`
	// Account identifies the account, with parameters in braces.
	Account  string `yaml:"account"  text:"plain"`
	Currency string `yaml:"currency" text:"plain"`
	// Exactly one of these, except that Push also works with Files.
	HTTP  *web.HTTP       `yaml:"http"`
	Files *files.Config   `yaml:"files"`
	SQL   *sql.Config     `yaml:"sql"`
	Push  *push.Config    `yaml:"push"`
	Feeds map[string]Feed `yaml:"feeds"`
	// Tests are the provider's side, for the command `provider test`.
	Tests *Tests `yaml:"tests"`

	text, file string
}

// Feed is one list of records.
type Feed struct {
	// Ask says what the feed is, for people who choose it.
	Ask      string   `yaml:"ask"`
	Defaults FeedKeys `yaml:"defaults"`
	web.List
	// Files and Query are the feed's own, in place of the definition's files block and SQL
	// statement.
	Files *files.Config `yaml:"files"`
	Query string        `yaml:"query"`
	// WithoutID: a row may lack its id.
	WithoutID bool `yaml:"without_id"`
	// Numbers is international if numbers of digits are international ones without a plus.
	Numbers string              `yaml:"numbers"`
	Ignore  *language.Condition `yaml:"ignore"`
	Final   *language.Condition `yaml:"final"`
	// Whole matches the leg without which a call isn't whole.
	Whole   *language.Condition `yaml:"whole"`
	Encoded string              `yaml:"encoded"`
	// Missing are the texts that mean a missing value, such as NA.
	Missing []string `yaml:"missing"`
	// Counts is queue_visits or media_streams if rows are these; empty for calls.
	Counts string `yaml:"counts"`
	// Map is the Go function that completes the records.
	Map    string `yaml:"map"`
	Record Record `yaml:"record"`
	// Legs describes the legs within a row.
	Legs *InnerLegs `yaml:"legs"`
	// Parameters are further keys of the feed's block.
	Parameters map[string]Parameter `yaml:"parameters"`

	xml   bool            // rows are XML
	files *files.Config   // its own or the definition's; nil: not read from files
	lists map[string]bool // parameters that are lists
}

// Record says which value of a row each field of a call comes from.
type Record struct {
	ID          language.Value `yaml:"id"`
	CallID      language.Value `yaml:"call_id"`
	Group       language.Value `yaml:"group"`
	Parent      language.Value `yaml:"parent"`
	Version     language.Value `yaml:"version"`
	Start       language.Value `yaml:"start"`
	Answer      language.Value `yaml:"answer"`
	End         language.Value `yaml:"end"`
	Ringing     language.Value `yaml:"ringing"`
	Duration    language.Value `yaml:"duration"`
	Direction   language.Value `yaml:"direction"`
	CallType    language.Value `yaml:"call_type"`
	Party       language.Value `yaml:"party"`
	Outcome     language.Value `yaml:"outcome"`
	SIPCode     language.Value `yaml:"sip_code"`
	Trunk       language.Value `yaml:"trunk"`
	Channel     language.Value `yaml:"channel"`
	Second      SecondTrunk    `yaml:"second"`
	Caller      language.Value `yaml:"caller"`
	Callee      language.Value `yaml:"callee"`
	UserID      language.Value `yaml:"user_id"`
	UserName    language.Value `yaml:"user_name"`
	Country     language.Value `yaml:"country"`
	Charges     []Charge       `yaml:"charges"`
	RecordingID language.Value `yaml:"recording_id"`
	Media       mediaList      `yaml:"media"`
	Emergency   language.Value `yaml:"emergency"`
	// Labels are the values of the operator's labels that no file provides.
	Labels map[string]language.Value `yaml:"labels"`
	// The fields of a visit to a queue.
	Queue       language.Value            `yaml:"queue"`
	QueueWait   language.Value            `yaml:"queue_wait"`
	QueueResult language.Value            `yaml:"queue_result"`
	Extra       map[string]language.Value `yaml:"extra"`
}

// SecondTrunk is the attempt on the trunk onto which a row leads that came over another one.
type SecondTrunk struct {
	Trunk   language.Value `yaml:"trunk"`
	Channel language.Value `yaml:"channel"`
	Outcome language.Value `yaml:"outcome"`
}

// Charge is one component of a call's price.
type Charge struct {
	Component string         `yaml:"component"`
	Amount    language.Value `yaml:"amount"`
	Currency  language.Value `yaml:"currency"`
}

var (
	name         = regexp.MustCompile(`^[a-z0-9][a-z0-9_]*$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
)

// UnknownCurrency is the ISO 4217 code for no currency.
const UnknownCurrency = "XXX"

const noCurrency = "must be a currency of three capital letters (ISO 4217), such as USD"

// Load reads a definition. path is the file name in its problems; its error is config.Problems.
func Load(path string, text []byte) (*Definition, error) {
	d := new(Definition)
	if err := config.Unmarshal(path, text, d, config.Options{Amend: extend}); err != nil {
		return nil, err
	}
	d.Replaces = d.Replaces || d.Provider == d.Extends
	d.text, d.file = string(text), filepath.Base(path)
	if d.Extends != "" { // another version of the program has another one
		base, err := BuiltinText(d.Extends)
		if err != nil {
			return nil, err
		}
		d.text += string(base)
	}
	return d, nil
}

// Validate implements config.Validator.
func (d *Definition) Validate(r *config.Report) {
	d.completeFeeds()
	if !name.MatchString(d.Provider) {
		r.Problemf("provider", "must be a name of lower-case letters, digits and _, such as acmetel")
	}
	if len(d.Feeds) == 0 {
		r.Problemf("feeds", "is missing; add at least one feed")
	}
	d.validateSources(r)
	d.validateTests(r)
	own := Definition{Account: d.Account, Currency: d.Currency, HTTP: d.HTTP, SQL: d.SQL}
	d.validateNames(r, &own, "", nil)
	if d.Currency != "" && !strings.Contains(d.Currency, "{") && !currencyCode.MatchString(d.Currency) {
		r.Problemf("currency", "%s", noCurrency)
	}
	for key, p := range d.Parameters {
		switch {
		case key == baseURL || d.Feeds[key].Format != "":
			r.Problemf("parameters."+key, "has the name of another key of the block; choose another name")
		case !name.MatchString(key):
			r.Problemf("parameters."+key, "must have a name of lower-case letters, digits and _, such as api_key")
		default:
			p.validate(r, "parameters."+key)
		}
		d.validateNeeds(r, "parameters."+key, &p, nil)
	}
	for feed, f := range d.Feeds {
		key := "feeds." + feed
		if !name.MatchString(feed) {
			r.Problemf(key, "must have a name of lower-case letters, digits and _, such as call_log")
		}
		d.validateSource(r, r.At(key), &f)
		d.validateFeedParameters(r, key, &f)
		with := *d
		with.Parameters = d.parametersOf(&f)
		with.validateNames(r, &f, key, &f)
		f.ValidateFor(r, key, language.Values(&f.Record, "record"), func(p string) bool {
			return with.Parameters[p].List
		})
		for format := range f.Exports {
			if _, known := with.Parameters[web.FormatKey].Values[format]; !known {
				r.Problemf(key+".exports."+format, "isn't one of the values of the parameter %s", web.FormatKey)
			}
		}
	}
}

// completeFeeds gives feeds what the definition has for all: what its parameters are, the statement of
// SQL, and files, with their format and names as other rows have them.
func (d *Definition) completeFeeds() {
	lists, secrets := make(map[string]bool), make(map[string]bool)
	for name, p := range d.Parameters {
		lists[name], secrets[name] = p.List, p.Secret
	}
	for name, feed := range d.Feeds {
		if feed.files = cmp.Or(feed.Files, d.Files); feed.files != nil {
			feed.Format, feed.Columns = feed.files.Format, feed.files.Columns
		}
		feed.xml = feed.files != nil && feed.files.Format == rows.FormatXML || feed.Files == nil && d.Push != nil &&
			d.Push.Format == rows.FormatXML
		if d.SQL != nil {
			feed.Query = cmp.Or(feed.Query, d.SQL.Query)
			if feed.Filter.Key != "" && !feed.Record.ID.IsSet() { // of rows that are alike, a read may have only some
				feed.Record.ID = language.At(feed.Filter.Key)
			}
		}
		feed.lists = maps.Clone(lists)
		for name, p := range feed.Parameters {
			feed.lists[name] = p.List
		}
		feed.SetParameters(feed.lists, secrets)
		d.Feeds[name] = feed
	}
}

// validateSources reports a definition that doesn't say how its feeds are read, or that has keys for
// another kind of source.
func (d *Definition) validateSources(r *config.Report) {
	beside := d.Files != nil && d.Push != nil && d.HTTP == nil && d.SQL == nil // push may be combined with files
	if !beside && !d.allHaveFiles() {
		r.ExactlyOne("a way to read", "http", "files", "sql", "push")
	}
	if d.Push != nil {
		d.validatePush(r)
	}
}

// validateSource reports what a feed lacks for its kind of source. whole is the report of the definition.
func (d *Definition) validateSource(whole, r *config.Report, f *Feed) {
	if f.Legs != nil && (d.SQL != nil || f.files != nil && f.files.Format == rows.FormatCSV) {
		r.Problemf("legs", "are a JSON list within the row of a call, and these rows have columns; remove them")
	}
	if d.HTTP == nil {
		r.Refuse([]string{"for", "complete", "max_rows", "snapshot", "names", "recording", "empty"},
			"only works with http; remove it")
	}
	switch {
	case f.Files != nil && d.HTTP != nil:
		r.Problemf("files", "can't be combined with http; describe the files in a second definition")
		return
	case f.files != nil:
		f.validateFiles(r)
		return
	case d.Push != nil:
		return
	}
	if f.Filter.By == "" && !f.Snapshot && !r.Given("filter") {
		r.Problemf("filter", "is missing; set by: start or by: end, the time of a call that the filter applies to")
	}
	if !f.Filter.Overlap.IsFor(d.SQL != nil) {
		r.Problemf("filter.overlap", "must be the number of keys that are read again in a database, such as 1000, "+
			"or a length of time over HTTP, such as 5m")
	}
	if d.SQL != nil {
		d.validateSQL(whole, r, f)
	} else if f.Request.FirstPath() == "" {
		r.Problemf("request.path", "is missing; set the path of the list of calls")
	}
}

// validateNames reports parameters, lists and networks that a part of the definition names, and that
// the definition or the feed doesn't have; and secrets where they would be stored or shown.
func (d *Definition) validateNames(r *config.Report, part any, key string, f *Feed) {
	language.Walk(part, key, func(at string, found any) {
		switch of := found.(type) {
		case language.Text:
			for _, name := range language.ParametersIn(of.Text) {
				if p := d.Parameters[name]; p.Map != "" {
					r.Problemf(at, "names %s, which has several values by name and can't be used as a text", name)
				} else if !of.Secrets || !p.Secret {
					d.validateName(r, at, name)
				}
			}
		case *language.Condition:
			for _, name := range of.Parameters() {
				d.validateName(r, at, name)
			}
		case *language.Value:
			parameters, networks, lists := of.Uses()
			for _, name := range parameters {
				d.validateName(r, at, name)
			}
			for _, name := range lists {
				if f == nil || f.Names[name] == nil {
					r.Problemf(at, "names the list %s, which isn't in the feed's names", name)
				}
			}
			for _, name := range networks {
				if d.Parameters[name].Map != mapOfNetworks {
					r.Problemf(at, "names %s, which isn't a parameter with map: %s", name, mapOfNetworks)
				}
			}
		}
	})
}

// validateName reports a parameter that the definition doesn't have, or a secret.
func (d *Definition) validateName(r *config.Report, key, name string) {
	switch p, known := d.Parameters[name]; {
	case !known:
		hint := ""
		if name == "from" || name == "to" {
			hint = "; an end of the span needs a form of time, such as {" + name + "|rfc3339}"
		}
		r.Problemf(key, "names the parameter %s, which the definition doesn't have%s", name, hint)
	case p.Secret:
		r.Problemf(key,
			"names %s, which is a secret; secrets only work in headers and auth of http and in query and body of a "+
				"request, since other texts are stored or shown", name)
	}
}

// SetDefaults implements config.Defaulter.
func (f *Feed) SetDefaults() {
	f.Defaults.Feed = config.Feed{Interval: time.Minute, Lookback: 48 * time.Hour, LateAfter: time.Hour}
	f.Defaults.Legs.SetDefaults()
	f.List.SetDefaults()
}

// international is the word for numbers without a plus.
const international = "international"

// Validate implements config.Validator.
func (f *Feed) Validate(r *config.Report) {
	switch {
	case r.Given("record") && f.Snapshot:
		f.validateSnapshot(r)
	case f.Map != "":
	case r.Given("record"):
		f.validateCounts(r)
	default:
		r.Problemf("record", "is missing; set where the fields of a call come from")
	}
	r.OneOf("encoded", f.Encoded, "", "url")
	r.OneOf("numbers", f.Numbers, "", international)
	f.validateFunction(r)
	if f.Legs != nil && (f.Format != rows.FormatJSON && f.Format != rows.FormatJSONLines || !f.countsCalls()) {
		r.Problemf("legs", "are a JSON list within the row of a call; remove them")
	}
	if f.Whole != nil && !f.hasLegs() {
		r.Problemf("whole", "%s", noLegs)
	}
	f.validateLegs(r.At("defaults"))
	if f.Filter.By == web.ByInserted && f.Final != nil {
		r.Problemf("final", "needs a filter by start or end: a filter by insertion reads each row once")
	}
}

// Validate implements config.Validator.
func (d *Record) Validate(r *config.Report) {
	for key, v := range map[string]*language.Value{"start": &d.Start, "answer": &d.Answer, "end": &d.End} {
		if v.LacksTime() {
			r.Problemf(key, "has no time: %s", language.HowTimes)
		}
	}
	for key, v := range map[string]*language.Value{"outcome": &d.Outcome, "second.outcome": &d.Second.Outcome} {
		language.ValidateWords(r, key, v, language.OutcomeWords, "answered, voicemail, machine, busy, no_answer, "+
			"cancelled, rejected, invalid_number, not_allowed, failed, not_connected, unknown or none")
	}
	if d.Second.Trunk.IsSet() != d.Second.Outcome.IsSet() {
		r.Problemf("second", "must have both trunk and outcome")
	}
	language.ValidateWords(r, "party", &d.Party, language.PartyWords, "person, voicemail, machine, onward or own")
	language.ValidateWords(r, "direction", &d.Direction, language.DirectionWords,
		"inbound, outbound, internal or unknown")
	language.ValidateWords(r, "queue_result", &d.QueueResult, language.ResultWords,
		"answered, abandoned, timeout, overflowed or other")
	language.ValidateWords(r, "emergency", &d.Emergency, language.TruthWords, "true or false")
	for key, v := range language.Values(d, "") {
		if v.UsesPercent() && !strings.HasSuffix(key, ".loss") {
			r.Problemf(key, "has unit: percent, which only works for the loss of media; remove it")
		}
	}
	if n := len(d.Charges); n > cdr.MaxCharges {
		r.Problemf("charges", "has %d components, at most %d: add some of them up with expr", n, cdr.MaxCharges)
	}
	for i, c := range d.Charges { // a revision is compared by component
		if slices.ContainsFunc(d.Charges[:i], func(other Charge) bool { return other.Component == c.Component }) {
			r.Problemf(fmt.Sprintf("charges[%d].component", i),
				"is also the component of another charge: choose another name, or give one amount as a list of values")
		}
	}
}

// CurrencyFor is the currency of a charge without one; XXX if unknown.
func (d *Definition) CurrencyFor(parameters map[string][]string) string {
	return cmp.Or(language.Expand(d.Currency, parameters), UnknownCurrency)
}
