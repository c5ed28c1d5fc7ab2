package declared

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Value says what a field is taken from. It is a path, a mapping with one way to a text and what is done with it, or a list of these: the
// first that gives a value wins.
type Value struct{ alternatives []alternative }

// alternative is one way to a value.
type alternative struct {
	// One of these.
	join       []path // one path, or several whose texts are joined by /
	expression *expression
	constant   *string
	codes      func(text string) (c cause, found, ok bool) // q850 or sip, of the path in join

	when    *Condition
	match   *regexp.Regexp
	table   map[string]entry
	time    string
	zone    *time.Location
	unit    string
	negate  bool
	since   path
	privacy cdr.Privacy
}

// entry is what a table says of a text: a word or, for outcomes, more.
type entry struct {
	word   string
	reason string
	fault  cdr.FaultDomain
}

// IsSet says whether the definition has the value.
func (v *Value) IsSet() bool { return len(v.alternatives) > 0 }

// DecodeNode implements config.NodeDecoder.
func (v *Value) DecodeNode(n *config.Node) {
	if !n.IsList() {
		v.alternatives = append(v.alternatives, decodeAlternative(n))
		return
	}
	for _, item := range n.Items() {
		v.alternatives = append(v.alternatives, decodeAlternative(item))
	}
	if len(v.alternatives) == 0 {
		n.Problemf("is empty; give at least one value")
	}
}

func decodeAlternative(n *config.Node) (a alternative) {
	switch {
	case n.IsText():
		a.join = decodePaths(n)
	case n.IsMap():
		ways := 0
		for _, f := range n.Fields() {
			if decode := waysToText[f.Key]; decode != nil {
				ways++
				decode(&a, f.Value)
			} else if decode := treatments[f.Key]; decode != nil {
				decode(&a, f.Value)
			} else {
				f.Value.Problemf("unknown key; the keys here are %s", strings.Join(alternativeKeys(), ", "))
			}
		}
		if ways != 1 {
			n.Problemf("must have exactly one of path, join, expr, is, q850 and sip")
		}
	default:
		n.Problemf("must be a path, a mapping or a list of these, is %s", n.Form())
	}
	return a
}

func alternativeKeys() (keys []string) {
	for key := range waysToText {
		keys = append(keys, key)
	}
	for key := range treatments {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// waysToText are the keys of which an alternative has one, and treatments those that it may have beside it.
var waysToText, treatments = map[string]func(*alternative, *config.Node){
	"path": func(a *alternative, n *config.Node) { a.join = decodePaths(n) },
	"join": func(a *alternative, n *config.Node) {
		if !n.IsList() {
			n.Problemf("must be a list of paths, is %s", n.Form())
			return
		}
		for _, item := range n.Items() {
			a.join = append(a.join, decodePaths(item)...)
		}
	},
	"expr": func(a *alternative, n *config.Node) {
		var err error
		if a.expression, err = compile(n.Text(), false); err != nil {
			n.Problemf("is no expression: %s", err)
		}
	},
	"is": func(a *alternative, n *config.Node) {
		text := textIn(n)
		a.constant = &text
	},
	"q850": func(a *alternative, n *config.Node) { a.join, a.codes = decodePaths(n), q850 },
	"sip":  func(a *alternative, n *config.Node) { a.join, a.codes = decodePaths(n), sip },
}, map[string]func(*alternative, *config.Node){
	"when":    func(a *alternative, n *config.Node) { a.when = new(Condition); a.when.DecodeNode(n) },
	"table":   func(a *alternative, n *config.Node) { a.table = decodeTable(n) },
	"match":   decodeMatch,
	"time":    func(a *alternative, n *config.Node) { a.time = textIn(n) },
	"zone":    decodeZone,
	"unit":    func(a *alternative, n *config.Node) { a.unit = oneOf(n, "s", "ms", "min", "iso8601", "hms") },
	"negate":  func(a *alternative, n *config.Node) { n.Decode(&a.negate) },
	"since":   func(a *alternative, n *config.Node) { a.since = decodePaths(n)[0] },
	"privacy": decodePrivacy,
}

func textIn(n *config.Node) (text string) {
	if !n.IsText() {
		n.Problemf("must be a text, is %s", n.Form())
		return ""
	}
	return n.Text()
}

func oneOf(n *config.Node, words ...string) string {
	text := textIn(n)
	if !slices.Contains(words, text) {
		n.Problemf("must be one of %s", strings.Join(words, ", "))
	}
	return text
}

// decodePaths reads one path; of a wrong one it gives one that leads nowhere.
func decodePaths(n *config.Node) []path {
	p, err := parsePath(textIn(n))
	if err != nil {
		n.Problemf("%s", err)
		return []path{{""}}
	}
	return []path{p}
}

func decodeMatch(a *alternative, n *config.Node) {
	var err error
	if a.match, err = regexp.Compile(textIn(n)); err != nil {
		n.Problemf("is no regular expression (RE2): %s", err)
	} else if a.match.NumSubexp() == 0 {
		n.Problemf("must have a group, such as ^PJSIP/(.+)-; the value is what the first one matches")
	}
}

func decodeZone(a *alternative, n *config.Node) {
	var err error
	if a.zone, err = time.LoadLocation(textIn(n)); err != nil {
		n.Problemf("must be a time zone such as Europe/Berlin")
	}
}

func decodePrivacy(a *alternative, n *config.Node) {
	a.privacy = map[string]cdr.Privacy{"number": cdr.Number, "user": cdr.User, "address": cdr.Address}[oneOf(n, "number", "user", "address")]
}

func decodeTable(n *config.Node) map[string]entry {
	if !n.IsMap() {
		n.Problemf("must be a mapping of what the row writes to what it means, is %s", n.Form())
		return nil
	}
	table := make(map[string]entry)
	for _, f := range n.Fields() {
		table[f.Key] = decodeEntry(f.Value)
	}
	return table
}

func decodeEntry(n *config.Node) (e entry) {
	if !n.IsMap() {
		e.word = textIn(n)
		return e
	}
	for _, f := range n.Fields() {
		switch f.Key {
		case "outcome":
			e.word = textIn(f.Value)
		case "reason":
			e.reason = textIn(f.Value)
		case "fault_domain":
			var known bool
			if e.fault, known = faultDomains[textIn(f.Value)]; !known {
				f.Value.Problemf("must be one of user, policy, sbc, carrier, provider, unknown")
			}
		default:
			f.Value.Problemf("unknown key; the keys here are fault_domain, outcome, reason")
		}
	}
	return e
}

var faultDomains = func() map[string]cdr.FaultDomain {
	all := make(map[string]cdr.FaultDomain)
	for _, f := range []cdr.FaultDomain{cdr.FaultUnknown, cdr.FaultUser, cdr.FaultPolicy, cdr.FaultSBC, cdr.FaultCarrier, cdr.FaultProvider} {
		all[f.String()] = f
	}
	return all
}()
