package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/providers"
)

// Feed is a feed that rules are for. Without a Source it stands for this feed of all sources of its provider.
type Feed struct {
	Source string
	collector.FeedProperties
}

// Builtin are the feeds of all providers.
func Builtin() (all []Feed) {
	for _, p := range providers.All() {
		for _, f := range p.Feeds() {
			all = append(all, Feed{FeedProperties: f})
		}
	}
	return all
}

// Configured are the feeds of a configuration that these providers' blocks were loaded for.
func Configured(c *config.Config, known []collector.Provider) (all []Feed) {
	for i := range c.Sources {
		s := &c.Sources[i]
		p := known[slices.IndexFunc(known, func(p collector.Provider) bool { return p.Name == s.ProviderName })]
		for _, f := range p.Feeds() {
			if config.HasBlock(s.Provider, f.Name) {
				all = append(all, Feed{s.Name, f})
			}
		}
	}
	return all
}

// property is what the records of a feed can show. Its text stands in expressions until the feeds are known that
// have it.
type property string

const (
	// reasonFeeds say why a call didn't connect.
	reasonFeeds property = "<reasons>"
	// shareFeeds only say whether it connected: what is ASR elsewhere is called the connected share there.
	shareFeeds property = "<share>"
	// sipFeeds carry SIP codes.
	sipFeeds property = "<sip>"
	// streamFeeds say how media streams went.
	streamFeeds property = "<streams>"
	// additiveFeeds are those whose calls no other feed has too, and those without calls.
	additiveFeeds property = "<additive>"

	// ReasonFeeds is what dashboards select by, in place of the names of feeds that give reasons; see
	// [Parameters.Resolve].
	ReasonFeeds = string(reasonFeeds)
	// StreamFeeds is the same for feeds that say how media streams went.
	StreamFeeds = string(streamFeeds)
)

func (p property) has(f *Feed) bool {
	switch p {
	case reasonFeeds:
		return f.Reasons
	case shareFeeds:
		return !f.Reasons && !f.Snapshot && !f.NoCalls
	case sipFeeds:
		return f.SIPCodes
	case streamFeeds:
		return f.Streams
	default:
		return !f.Overlaps
	}
}

// inFeeds selects by feed.
func inFeeds(p property) string { return matches("feed", string(p)) }

// Additive are the feeds whose calls may be added up.
func (p *Parameters) Additive() []string { return p.names(additiveFeeds) }

// names are the names of the feeds that have a property.
func (p *Parameters) names(of property) (names []string) {
	for i := range p.Feeds {
		if f := &p.Feeds[i]; of.has(f) && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// grafana are what stands in a query of a dashboard where PromQL has a duration or a number, and unlikely ones in
// their place.
var grafana = []string{
	"$__rate_interval", "59d7h", "$__range_s", "59876543", "$__range", "59d8h", "$__interval_ms", "59876544",
}

// Resolve puts the feeds that have a property in its place, in a query of a dashboard, and formats it.
func (p *Parameters) Resolve(query string) string {
	reversed := slices.Clone(grafana)
	slices.Reverse(reversed)
	resolved := p.resolve(parse(strings.NewReplacer(grafana...).Replace(query)))
	return strings.NewReplacer(reversed...).Replace(resolved.String())
}

// resolve puts the feeds that have a property in its place. Where feeds of one name differ, a vector becomes several.
func (p *Parameters) resolve(expr parser.Expr) parser.Expr {
	return replaceVectors(expr, func(vector parser.Expr, of *parser.VectorSelector) parser.Expr {
		at := slices.IndexFunc(of.LabelMatchers, func(m *labels.Matcher) bool {
			return strings.HasPrefix(m.Value,
				"<")
		})
		if at < 0 {
			return vector
		}
		given := of.LabelMatchers
		all := p.matchers(property(given[at].Value), given[at].Type == labels.MatchRegexp)
		for i, alternative := range all {
			matchers, _ := promql.ParseMetricSelector("{" + alternative + "}") // made of names
			of.LabelMatchers = slices.Replace(slices.Clone(given), at, at+1, matchers...)
			all[i] = vector.String()
		}
		if len(all) == 1 {
			return parse(all[0])
		}
		return parse("(" + strings.Join(all, " or ") + ")")
	})
}

// matchers select the feeds that have a property, or don't: by name, and by source too where feeds of one name
// differ. Each is of other series. Rules for all providers know no sources: there a property counts only if every
// feed of the name has it.
func (p *Parameters) matchers(of property, want bool) []string {
	var named, differ []string
	for _, name := range p.names(of) {
		without := slices.IndexFunc(p.Feeds, func(f Feed) bool { return f.Name == name && !of.has(&f) })
		switch {
		case without < 0:
			named = append(named, name)
		case p.Feeds[without].Source != "":
			differ = append(differ, name)
		}
	}
	var all []string
	switch {
	case !want:
		all = []string{oneOf("feed", append(named, differ...), isNot, not)}
	case len(named) > 0 || len(differ) == 0:
		all = []string{oneOf("feed", named, is, matches)}
	}
	for _, name := range differ {
		var sources []string
		for _, f := range p.Feeds {
			if f.Name == name && of.has(&f) == want {
				sources = append(sources, f.Source)
			}
		}
		all = append(all, fmt.Sprintf("%s, %s", is("feed", name), oneOf("source", sources, is, matches)))
	}
	return all
}

// oneOf compares one value alone, and matches several; none is an empty one, which no feed has.
func oneOf(label string, values []string, one, several func(label, value string) string) string {
	if len(values) > 1 {
		return several(label, strings.Join(values, "|"))
	}
	return one(label, strings.Join(values, ""))
}
