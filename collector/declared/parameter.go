package declared

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Parameter is a key of a source's block, or of a feed in it, that the definition adds.
type Parameter struct {
	Ask    string `yaml:"ask"`
	Secret bool   `yaml:"secret"`
	List   bool   `yaml:"list"`
	// Map says what the parameter maps names to: networks or columns. It is optional in a source.
	Map     string         `yaml:"map"`
	Default language.Texts `yaml:"default"`
	// Values are the words that a source may write, and the text that each stands for.
	Values choices `yaml:"values"`
	// Needs are words that other parameters must have for another value than the default.
	Needs map[string]string `yaml:"needs"`

	optional bool
}

// choices are texts by word. In a list, each word stands for itself.
type choices map[string]string

// DecodeNode implements config.NodeDecoder.
func (c *choices) DecodeNode(n *config.Node) {
	if !n.IsList() {
		n.Decode((*map[string]string)(c))
		return
	}
	*c = make(choices)
	for _, item := range n.Items() {
		var word string
		item.Decode(&word)
		(*c)[word] = word
	}
}

// words are the words that a source may write; none: any.
func (c choices) words() []string { return slices.Sorted(maps.Keys(c)) }

// defaults are the texts of a parameter that the source doesn't give.
func (p *Parameter) defaults() []string {
	if len(p.Default) == 1 && p.Values != nil {
		return []string{p.Values[p.Default[0]]}
	}
	return p.Default
}

// decode reads the value of a parameter that is neither a secret nor a map.
func (p *Parameter) decode(n *config.Node) []string {
	if p.List {
		var list []string
		if n.Decode(&list); p.Values != nil {
			p.checkList(n, list)
		} else if slices.ContainsFunc(list, regularExpression.MatchString) {
			n.Problemf("must have patterns, in which * stands for anything, not regular expressions")
		}
		return list
	}
	var text string
	if n.Decode(&text); p.Values == nil {
		return []string{text}
	}
	meant, known := p.Values[text]
	if !known {
		n.Problemf("must be %s", strings.Join(p.Values.words(), " or "))
	}
	return []string{meant}
}

// regularExpression finds what a regular expression may have and a pattern doesn't: it would fit no row, and
// nobody would see it. A list may also have other texts, such as DOMAIN\group.
var regularExpression = regexp.MustCompile(`^\^|^\.[*+]|\\[dw][*+]|\[0-9\]`)

// checkList reports a list that isn't one of the parameter's values, each once.
func (p *Parameter) checkList(n *config.Node, list []string) {
	values := strings.Join(p.Values.words(), " or ")
	if len(list) == 0 {
		n.Problemf("is empty; set %s", values)
	}
	items := n.Items()
	for i, text := range list {
		if meant, known := p.Values[text]; !known || meant != text {
			items[i].Problemf("must be %s", values)
		} else if slices.Contains(list[:i], text) {
			items[i].Problemf("is given twice")
		}
	}
}

// Text is the text that a word of a source stands for.
func (p *Parameter) Text(word string) string {
	if meant, known := p.Values[word]; known {
		return meant
	}
	return word
}

// validate reports what a parameter of the definition can't have.
func (p *Parameter) validate(r *config.Report, key string) {
	switch {
	case p.Secret && p.List:
		r.Problemf(key, "is a secret, so it can't be a list")
	case p.Map != "" && (p.Secret || p.List || p.Default != nil):
		r.Problemf(key, "has map, which excludes secret, list and default; remove these")
	case !slices.Contains([]string{"", mapOfNetworks, mapOfColumns}, p.Map):
		r.Problemf(key+".map", "must be %s or %s", mapOfNetworks, mapOfColumns)
	case p.Secret && p.Default != nil:
		r.Problemf(key+".default", "belongs to a secret, and a definition must not contain secrets; remove it")
	case p.Values != nil && (p.Secret || p.Map != ""):
		r.Problemf(key, "has values, which exclude secret and map; remove these")
	case p.Values != nil && len(p.Default) == 1 && p.Default[0] != "":
		if _, known := p.Values[p.Default[0]]; !known {
			r.Problemf(key+".default", "isn't one of the values")
		}
	}
}

// validateNeeds reports a parameter of a source that doesn't go with another one. values are all
// that the parameter may need.
func validateNeeds(r *config.Report, key string, p *Parameter, value []string, all map[string]Parameter,
	values map[string][]string,
) {
	if slices.Equal(value, p.defaults()) {
		return
	}
	for _, other := range slices.Sorted(maps.Keys(p.Needs)) {
		word, of := p.Needs[other], all[other]
		if !slices.Equal(values[other], []string{of.Text(word)}) {
			r.Problemf(key, "needs %s: %s; remove it, or set that", other, word)
		}
	}
}

// parametersOf are the parameters that a feed's texts may name: the definition's and its own.
func (d *Definition) parametersOf(f *Feed) map[string]Parameter {
	if f.Parameters == nil {
		return d.Parameters
	}
	all := maps.Clone(f.Parameters)
	maps.Copy(all, d.Parameters)
	return all
}

// validateNeeds reports a parameter that needs what isn't there. of is the feed's parameter's feed, or nil.
func (d *Definition) validateNeeds(r *config.Report, key string, p *Parameter, of *Feed) {
	all := d.Parameters
	if of != nil {
		all = d.parametersOf(of)
	}
	for other, word := range p.Needs {
		if _, known := all[other].Values[word]; !known {
			r.Problemf(key+".needs", "names %s: %s, which isn't one of the values of a parameter", other, word)
		}
	}
}

// validateFeedParameters reports further keys of a feed's block that can't be there.
func (d *Definition) validateFeedParameters(r *config.Report, feed string, f *Feed) {
	for key, p := range f.Parameters {
		at := feed + ".parameters." + key
		_, twice := d.Parameters[key]
		switch {
		case twice || slices.Contains(ownKeys, key):
			r.Problemf(at, "has the name of another key; choose another name")
		case !name.MatchString(key):
			r.Problemf(at, "must have a name of lower-case letters, digits and _, such as view")
		case p.Secret || p.Map != "":
			r.Problemf(at, "is a secret or a map, which must be a parameter of the source")
		case p.Default == nil:
			r.Problemf(at, "needs a default, because a feed may have no keys")
		default:
			p.validate(r, at)
		}
		d.validateNeeds(r, at, &p, f)
	}
}

// The keys that every feed's block may have; those of ended calls don't apply to calls in progress.
var (
	keysOfLegs       = []string{"settle", "whole_after"}
	keysOfEndedCalls = append([]string{"lookback", "late_after"}, keysOfLegs...)
	ownKeys          = append([]string{"interval", pathsKey, "ignore"}, keysOfEndedCalls...)
)

// keys are the keys of the feed's block: those of every feed, its files, and its parameters.
func (f *Feed) keys() []config.Setting {
	all := slices.DeleteFunc(config.KeysOf(reflect.TypeFor[FeedKeys]()), func(s config.Setting) bool {
		return f.Snapshot && slices.Contains(keysOfEndedCalls, s.Key) ||
			!f.hasLegs() && slices.Contains(keysOfLegs, s.Key)
	})
	if f.Files != nil {
		all = append(all, config.Setting{Key: pathsKey, OneWillDo: true, Required: true})
	}
	for _, key := range slices.Sorted(maps.Keys(f.Parameters)) {
		p := f.Parameters[key]
		all = append(all, config.Setting{Key: key, List: p.List, Values: p.Values.words()})
	}
	return all
}

// decodeBlock reads the block of the feed in a source.
func (f *Feed) decodeBlock(n *config.Node) FeedBlock {
	settings := FeedBlock{FeedKeys: f.Defaults, Values: make(map[string][]string)}
	for key, p := range f.Parameters {
		settings.Values[key] = p.defaults()
	}
	if n.IsMap() {
		for _, field := range n.Fields() {
			if p, is := f.Parameters[field.Key]; is {
				settings.Values[field.Key] = p.decode(field.Value)
			}
			if f.Snapshot && slices.Contains(keysOfEndedCalls, field.Key) {
				field.Value.Problemf("is for ended calls, and these are in progress; remove it")
			}
		}
		n = n.Without(slices.Collect(maps.Keys(f.Parameters))...)
	}
	n.Decode(&settings)
	return settings
}

// SetParameter puts the values of a parameter into a source's block, or into the block of a feed in it. A key such as
// carriers.acme has the values of one name of a parameter with `map`.
func (d *Definition) SetParameter(block map[string]any, feed, key string, values []string) {
	of, inner, isMap := strings.Cut(key, ".")
	p, ofFeed := d.Feeds[feed].Parameters[of]
	if ofFeed {
		block = blockIn(block, feed)
	} else {
		p = d.Parameters[of]
	}
	isList := p.List || key == Columns
	if isMap {
		block, key, isList = blockIn(block, of), inner, p.Map != mapOfColumns
	}
	if isList {
		block[key] = values
	} else {
		block[key] = strings.Join(values, ",")
	}
}

// blockIn is a mapping within a block. It makes one that is missing.
func blockIn(block map[string]any, key string) map[string]any {
	inner, is := block[key].(map[string]any)
	if !is {
		inner = make(map[string]any)
		block[key] = inner
	}
	return inner
}

// HasParameter says whether the source, or the block of one of its feeds, has the parameter of a key for SetParameter.
func (d *Definition) HasParameter(key string) bool {
	of, _, _ := strings.Cut(key, ".")
	_, is := d.Parameters[of]
	for _, f := range d.Feeds {
		_, ofFeed := f.Parameters[of]
		is = is || ofFeed
	}
	return is || key == TimeZone || key == Columns
}

// valuesOf are the values of the source's parameters and of a feed's.
func (b *Block) valuesOf(f FeedBlock) map[string][]string {
	if len(f.Values) == 0 {
		return b.Values
	}
	all := maps.Clone(b.Values)
	maps.Copy(all, f.Values)
	return all
}

// ValuesOf are the values that a feed's texts may name.
func (b *Block) ValuesOf(feed string) map[string][]string {
	return maps.Clone(b.valuesOf(b.Feeds[feed]))
}

// otherWord is the word of a parameter that a source may set in place of the default; empty if there
// are several.
func (p Parameter) otherWord() (word string) {
	for text := range p.Values {
		if text != "" && !slices.Contains(p.Default, text) {
			if word != "" {
				return ""
			}
			word = text
		}
	}
	return word
}

// sharesCalls says whether rows of a source may be legs of one call: it has one of the values that
// the definition gives for that, unless a condition on its parameters takes them away.
func (f *Feed) sharesCalls(parameters map[string][]string) bool {
	return f.Record.Group.IsPossible(parameters) || f.Record.Parent.IsPossible(parameters)
}
