package declared

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Block is a source's block: values of the definition's parameters, and the feeds to read. Two
// blocks are equal if their exported fields and the definition's text are.
type Block struct {
	// Text is the definition as its file has it.
	Text    string
	BaseURL string
	Values  map[string][]string
	Secrets map[string]config.Secret
	Feeds   map[string]FeedBlock
	// Zone is the zone of times without one: UTC unless Values name another.
	Zone *time.Location

	definition *Definition
	parameters map[string]Parameter // the definition's, and those that its kind of source adds
}

// FeedBlock is the block of a feed in a source.
type FeedBlock struct {
	FeedKeys

	// Paths are the files of a feed whose definition has a separate files block for it.
	Paths files.Patterns `yaml:"paths"`
	// Ignore matches additional rows that aren't calls.
	Ignore *language.Condition `yaml:"ignore"`
	// Values are the values of the feed's parameters.
	Values map[string][]string
}

const baseURL = "base_url"

func newBlock(d *Definition) *Block {
	b := &Block{
		Text: d.text, definition: d, parameters: d.allParameters(), Zone: time.UTC,
		Values: map[string][]string{}, Secrets: map[string]config.Secret{}, Feeds: map[string]FeedBlock{},
	}
	if d.HTTP != nil {
		b.BaseURL = d.HTTP.BaseURL
	}
	for key, p := range b.parameters {
		if p.Default != nil {
			b.Values[key] = p.defaults()
		}
	}
	return b
}

// FeedKeys are the keys of every feed. A feed without legs refuses the keys of Legs.
type FeedKeys struct {
	config.Feed
	config.Legs
}

// SetDefaults implements config.Defaulter: the definition has set them.
func (*FeedKeys) SetDefaults() {}

// noLegs is the problem of a key that only applies to calls of several rows.
const noLegs = "only works if rows share a group or have a parent, and these don't; remove it"

// hasLegs says whether the rows of the feed may be legs of one call.
func (f *Feed) hasLegs() bool { return f.Record.Group.IsSet() || f.Record.Parent.IsSet() }

// validateLegs reports keys for legs in a feed without legs.
func (f *Feed) validateLegs(r *config.Report) {
	if !f.hasLegs() {
		r.Refuse(keysOfLegs, "%s", noLegs)
	}
}

// DecodeNode implements config.NodeDecoder.
func (b *Block) DecodeNode(n *config.Node) {
	if !n.IsMap() && !n.IsNull() {
		n.Problemf("must be a mapping of keys to values, is %s", n.Form())
		return
	}
	for _, f := range n.Fields() {
		b.decode(f)
	}
	if http := b.definition.HTTP; http != nil && b.BaseURL == http.BaseURL {
		b.BaseURL = language.Expand(http.BaseURL, b.Values)
	}
	b.validate(n.Report())
}

func (b *Block) decode(f config.Field) {
	secret := strings.TrimSuffix(f.Key, "_file")
	p, isParameter := b.parameters[f.Key]
	feed, isFeed := b.definition.Feeds[f.Key]
	switch {
	case f.Key == baseURL && b.definition.HTTP != nil:
		f.Value.Decode(&b.BaseURL)
	case isFeed:
		b.Feeds[f.Key] = feed.decodeBlock(f.Value)
	case isParameter && p.Secret, b.parameters[secret].Secret:
		value := b.Secrets[secret]
		if f.Key == secret {
			f.Value.Decode(&value)
		} else {
			f.Value.DecodeFile(&value)
		}
		b.Secrets[secret] = value
	case isParameter && f.Key == pathsKey:
		var patterns files.Patterns
		f.Value.Decode(&patterns)
		b.Values[pathsKey] = patterns
	case isParameter && p.Map != "":
		b.decodeMap(f, p.Map)
	case isParameter:
		b.Values[f.Key] = p.decode(f.Value)
	case f.Key == TimeZone:
		f.Value.Problemf("does nothing, because each time of the definition has its zone; remove it")
	default:
		f.Value.Problemf("unknown key; the keys here are %s", strings.Join(b.keys(), ", "))
	}
}

func (b *Block) keys() (keys []string) {
	for _, s := range b.Settings() {
		keys = append(keys, s.Key)
	}
	slices.Sort(keys)
	return keys
}

func (b *Block) validate(r *config.Report) {
	if b.definition.HTTP != nil {
		r.Required(baseURL, b.BaseURL, "the address of the provider's API")
		r.BaseURL(baseURL, b.BaseURL)
	}
	if given := b.Values[TimeZone]; len(given) == 1 {
		var err error
		if b.Zone, err = time.LoadLocation(given[0]); err != nil {
			r.Problemf(TimeZone, "must be a time zone such as Europe/Berlin, is %q", given[0])
		}
	}
	if currency := b.definition.CurrencyFor(b.Values); !currencyCode.MatchString(currency) {
		r.Problemf("", "has the currency %q, which %s", currency, noCurrency)
	}
	b.validateFiles(r)
	b.validateDriver(r)
	for _, key := range slices.Sorted(maps.Keys(b.parameters)) {
		p := b.parameters[key]
		what := cmp.Or(p.Ask, "a value")
		switch {
		case p.optional || p.Map != "":
		case p.Secret:
			r.RequiredSecret(key, b.Secrets[key], what)
		case p.Default == nil && !r.Given(key):
			r.Required(key, "", what)
		default:
			validateNeeds(r, key, &p, b.Values[key], b.parameters, b.Values)
		}
	}
	for name, f := range b.Feeds {
		of := b.definition.Feeds[name]
		for key, p := range of.Parameters {
			all := b.definition.parametersOf(&of)
			validateNeeds(r, name+"."+key, &p, f.Values[key], all, b.valuesOf(f))
		}
		of.validateLegs(r.At(name))
		b.definition.validateNames(r, &f, name, nil)
		filter := of.Filter
		if of.Files == nil && len(f.Paths) > 0 {
			r.Problemf(name+"."+pathsKey, "only works for a feed whose definition has its own files; set %s "+
				"in the source's block, not in the feed", pathsKey)
		}
		if filter.By == web.ByInserted {
			// The ledger forgets ids some time after the lookback.
			if again := filter.Overlap.Time; b.definition.HTTP != nil && f.Lookback < again {
				r.Problemf(name+".lookback", "must be at least %s, the time that is read again", again)
			}
			continue // rows are never late
		}
		if filter.Retention > 0 {
			f.KeptFor(r.At(name), filter.Retention)
		}
		if f.Lookback <= filter.MinAge {
			r.Problemf(name+".lookback", "must be more than %s: newer records aren't read yet", filter.MinAge)
		}
	}
	r.AtLeastOne("a feed", slices.Sorted(maps.Keys(b.definition.Feeds))...)
}

// Settings implements config.Described.
func (b *Block) Settings() (all []config.Setting) {
	if http := b.definition.HTTP; http != nil {
		all = append(all, config.Setting{Key: baseURL, Required: http.BaseURL == ""})
	}
	for _, key := range slices.Sorted(maps.Keys(b.parameters)) {
		p := b.parameters[key]
		s := config.Setting{
			Key: key, Ask: p.Ask, List: p.List, Values: p.Values.words(), Map: p.Map != "", OneWillDo: key == pathsKey,
			Required: p.Default == nil && !p.optional && p.Map == "",
		}
		if p.Secret {
			text := s
			text.Ask = ""
			all = append(all, text)
			s.Key, s.Secret = key+"_file", true
		}
		all = append(all, s)
	}
	for _, key := range slices.Sorted(maps.Keys(b.definition.Feeds)) {
		of := b.definition.Feeds[key]
		all = append(all, config.Setting{Key: key, Ask: cmp.Or(of.Ask, "The feed "+key), Block: true, Keys: of.keys()})
	}
	return all
}

// HasBlock implements config.Described.
func (b *Block) HasBlock(key string) bool {
	_, has := b.Feeds[key]
	return has
}

// expand puts parameters into a text, including secrets, whose files it reads again.
func (b *Block) expand(ctx context.Context, text string) (string, error) {
	values := maps.Clone(b.Values)
	for _, name := range language.ParametersIn(text) {
		if secret, is := b.Secrets[name]; is {
			value, err := secret.Value(ctx)
			if err != nil {
				return "", err
			}
			values[name] = []string{value}
		}
	}
	return language.Expand(text, values), nil
}

// TimeZone is the key of a source's block for the zone of times without one.
const TimeZone = "time_zone"

// allParameters are the definition's parameters and those that every definition read in the same way has.
func (d *Definition) allParameters() map[string]Parameter {
	all := make(map[string]Parameter)
	feeds := slices.Collect(maps.Values(d.Feeds))
	if d.SQL != nil || slices.ContainsFunc(feeds, func(f Feed) bool { return f.takesZone() }) {
		all[TimeZone] = Parameter{Ask: "Time zone of times without one, such as Europe/Berlin", optional: true}
	}
	if d.Files != nil {
		all[pathsKey] = Parameter{Ask: "Files to read, such as /var/log/acmetel/*.csv", List: true, optional: true}
		if d.Files.Format == rows.FormatCSV {
			all[Columns] = Parameter{List: true, optional: true}
		}
	}
	if d.SQL != nil {
		all[dsnKey] = Parameter{Secret: true, Ask: "DSN of the database, as its driver writes it"}
	}
	if d.Push != nil { // with files, a token turns it on
		all[pushToken] = Parameter{Ask: "Token for posting records; choose one", Secret: true, optional: d.Files != nil}
		all[insecureHTTP] = Parameter{Values: choices{"true": "true", "false": "false"}, optional: true}
	}
	maps.Copy(all, d.Parameters)
	return all
}

// NeedsZone says whether a time has no zone, neither in the row nor in the definition.
func (f *Feed) NeedsZone() (needs bool) {
	language.Walk(f, "", func(_ string, found any) {
		v, is := found.(*language.Value)
		needs = needs || is && v.NeedsZone()
	})
	return needs
}

// takesZone says whether a configured zone affects a time.
func (f *Feed) takesZone() (takes bool) {
	language.Walk(f, "", func(_ string, found any) {
		of, is := found.(interface{ TakesZone() bool })
		takes = takes || is && of.TakesZone()
	})
	return takes
}
