package language

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Condition is a condition on a row: patterns that must all match, lists of such mappings of which
// one must match, or an expression.
type Condition struct {
	alternatives [][]test
	expression   *expression
	Written      string // as the file has it
}

// test compares a value with patterns.
type test struct {
	path     Path
	patterns []*pattern
}

// pattern is a text with *, in any case. {name} in it stands for each value of a list parameter, or for each
// address in a parameter's networks; then case matters, because names of trunks and gateways may differ in it.
type pattern struct {
	text      string
	parameter string         // empty without one
	matcher   *regexp.Regexp // for * or networks; else nil
	bounds    []bound        // for comparisons; else nil
}

// addressIn matches an address, which may have brackets around it and a port.
const addressIn = `([0-9A-Fa-f.:]+|\[[0-9A-Fa-f.:]+\](?::[0-9]+)?)`

// ParameterIn matches the name of a parameter in a text.
var ParameterIn = regexp.MustCompile(`\{([a-z_][a-z0-9_]*)\}`)

// DecodeNode implements config.NodeDecoder.
func (c *Condition) DecodeNode(n *config.Node) {
	c.Written = n.Written()
	switch {
	case n.IsMap():
		c.alternatives = [][]test{decodeTests(n)}
	case n.IsList():
		for _, item := range n.Items() {
			if !item.IsMap() {
				item.Problemf("must be a mapping of paths to patterns, is %s", item.Form())
				continue
			}
			c.alternatives = append(c.alternatives, decodeTests(item))
		}
	case n.IsText():
		var err error
		if c.expression, err = compile(n.Text(), true); err != nil {
			n.Problemf("isn't a valid expression: %s", err)
		}
	default:
		n.Problemf("must be a mapping of paths to patterns, a list of such, or an expression, is %s", n.Form())
	}
}

func decodeTests(n *config.Node) (all []test) {
	for _, f := range n.Fields() {
		p, err := ParsePath(f.Key)
		if err != nil {
			f.Value.Problemf("%s", err)
			continue
		}
		t := test{path: p}
		var patterns Texts
		f.Value.Decode(&patterns)
		for _, text := range patterns {
			p, err := newPattern(text)
			if err != nil {
				f.Value.Problemf("%s", err)
				continue
			}
			t.patterns = append(t.patterns, p)
		}
		all = append(all, t)
	}
	return all
}

func newPattern(text string) (p *pattern, err error) {
	text = strings.TrimSpace(text)
	p = &pattern{text: text}
	if compares.MatchString(text) {
		p.bounds, err = parseBounds(text)
		return p, err
	}
	if found := ParameterIn.FindStringSubmatch(text); found != nil {
		p.parameter = found[1]
		address := strings.Replace(regexp.QuoteMeta(text), regexp.QuoteMeta(found[0]), addressIn, 1)
		p.matcher = regexp.MustCompile("(?s)^" + strings.ReplaceAll(address, `\*`, ".*") + "$")
		return p, nil
	}
	if strings.Contains(text, "*") {
		p.matcher = wildcard("(?i)", text)
	}
	return p, nil
}

// wildcard is the regular expression, with flags, of a text in which * stands for anything.
func wildcard(flags, text string) *regexp.Regexp {
	return regexp.MustCompile(flags + "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}

// Paths are the places of a row that the condition compares; of an expression, the first names.
func (c *Condition) Paths() (all []Path) {
	if c == nil {
		return nil
	}
	all = slices.Clone(c.expression.paths())
	for _, tests := range c.alternatives {
		for _, t := range tests {
			all = append(all, t.path)
		}
	}
	return slices.DeleteFunc(all, isNoPlace)
}

// Holds says whether the condition is true for a row. A nil condition is true.
func (c *Condition) Holds(r *Row) (yes bool, problem string) {
	switch {
	case c == nil:
		return true, ""
	case c.expression != nil:
		return c.expression.truth(r)
	}
	return slices.ContainsFunc(c.alternatives, func(tests []test) bool {
		return !slices.ContainsFunc(tests, func(t test) bool { return !t.fits(r) })
	}), ""
}

func (t *test) fits(r *Row) bool {
	if name, is := t.path.ParameterName(); is {
		values := r.Parameters[name]
		if len(values) == 0 {
			values = []string{""}
		}
		return slices.ContainsFunc(values, func(v string) bool { return t.fitsText(r, v) })
	}
	text, is := r.Text(t.path)
	if is == nested {
		return slices.ContainsFunc(t.patterns, func(p *pattern) bool { return p.text == "*" })
	}
	return t.fitsText(r, strings.TrimSpace(text))
}

func (t *test) fitsText(r *Row, text string) bool {
	t.try(r, text)
	return slices.ContainsFunc(t.patterns, func(p *pattern) bool { return p.fits(r, text) })
}

// try notes whether the text is a number or a time, for patterns that compare.
func (t *test) try(r *Row, text string) {
	if r.Tried == nil || text == "" {
		return
	}
	for _, p := range t.patterns {
		if len(p.bounds) > 0 {
			r.note(strings.Join(t.path, ".")+": "+p.text, p.bounds[0].applies(text, r.Zone))
		}
	}
}

// fits compares a text, which is empty if the value is missing: only "" matches that.
func (p *pattern) fits(r *Row, text string) bool {
	switch {
	case text == "" || p.text == "":
		return text == p.text
	case p.bounds != nil:
		return !slices.ContainsFunc(p.bounds, func(b bound) bool { return !b.holds(text, r.Zone) })
	case p.parameter != "":
		fits := func(matcher *regexp.Regexp) bool { return matcher.MatchString(text) }
		return slices.ContainsFunc(r.wildcards(p), fits) || p.fitsNetwork(r, text)
	case p.matcher != nil:
		return p.matcher.MatchString(text)
	}
	return strings.EqualFold(text, p.text)
}

// fitsNetwork says whether the text has an address of one of the parameter's networks in the
// parameter's place.
func (p *pattern) fitsNetwork(r *Row, text string) bool {
	found := p.matcher.FindStringSubmatch(text)
	return found != nil && r.networkOf(p.parameter, found[1]) != ""
}

// Parameters are the parameters that the condition names.
func (c *Condition) Parameters() (all []string) {
	if c == nil {
		return nil
	}
	if c.expression != nil {
		return c.expression.parameters
	}
	for _, tests := range c.alternatives {
		for _, t := range tests {
			if name, is := t.path.ParameterName(); is {
				all = append(all, name)
			}
			for _, p := range t.patterns {
				if p.parameter != "" {
					all = append(all, p.parameter)
				}
			}
		}
	}
	return all
}

// TakesZone says whether the condition compares times without a zone.
func (c *Condition) TakesZone() bool {
	if c == nil {
		return false
	}
	if c.expression != nil {
		return c.expression.usesZone
	}
	return slices.ContainsFunc(slices.Concat(c.alternatives...), func(t test) bool {
		return slices.ContainsFunc(t.patterns, func(p *pattern) bool {
			return slices.ContainsFunc(p.bounds, func(b bound) bool { return b.time != "" })
		})
	})
}

// OnlyParameters says whether the condition compares nothing but the source's parameters.
func (c *Condition) OnlyParameters() bool {
	if c == nil || c.expression != nil {
		return false
	}
	return !slices.ContainsFunc(slices.Concat(c.alternatives...), func(t test) bool {
		_, is := t.path.ParameterName()
		return !is
	})
}
