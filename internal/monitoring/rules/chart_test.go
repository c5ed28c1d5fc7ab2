package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// The Helm chart has no Go to make rules with other thresholds. Its files/thresholds.yaml has the texts of the
// rules that a threshold is in, with «KEY=DEFAULT» where it stands, or «KEY%=DEFAULT» where it stands as a
// percentage; its template fills them in. The test changes each key to see which numbers change.

var anyNumber = regexp.MustCompile(`\d+(\.\d+)?`)

// place is where a text of a rule stands: the file, the group and number of the rule, and the key.
type place struct{ file, rule, key string }

// ruleTexts are the texts of all rules.
func (p *Parameters) ruleTexts() map[place]string {
	all := make(map[place]string)
	for file, groups := range map[string][]Group{"recording": p.Recording(), "alerts": p.Alerting()} {
		for _, g := range groups {
			for i, r := range g.Rules {
				rule := fmt.Sprintf("%s/%d", g.Name, i)
				all[place{file, rule, "expr"}] = r.Expr
				all[place{file, rule, "summary"}] = r.Summary
				all[place{file, rule, "description"}] = r.Description
			}
		}
	}
	return all
}

// chartThresholds is deploy/helm/cdr-exporter/files/thresholds.yaml.
func chartThresholds() ([]byte, error) {
	example, err := os.ReadFile(filepath.Join(root, "rules.example.yaml"))
	if err != nil {
		return nil, err
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(example, &defaults); err != nil {
		return nil, err
	}
	base := Default().ruleTexts()
	changes := make(map[place]map[int]string) // by which of the text's numbers
	var keys []string
	delete(defaults, "queue_seconds") // a template can't see whether it is a bound of the buckets
	for key, value := range defaults {
		var was float64
		var other string
		switch v := value.(type) {
		case int:
			was, other = float64(v), strconv.Itoa(2*v+1)
		case float64:
			was, other = v, strconv.FormatFloat(v*0.75, 'f', -1, 64)
		default:
			continue
		}
		keys = append(keys, key)
		p := new(Parameters)
		if err := config.Unmarshal("rules.yaml", []byte(key+": "+other+"\n"), p, config.Options{}); err != nil {
			return nil, err
		}
		p.Feeds = Builtin()
		for at, now := range p.ruleTexts() {
			if err := markThreshold(changes, at, base[at], now, key, was); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(keys)
	texts := map[string]map[string]map[string]string{"recording": {}, "alerts": {}}
	for at, marks := range changes {
		n := -1
		if texts[at.file][at.rule] == nil {
			texts[at.file][at.rule] = make(map[string]string)
		}
		texts[at.file][at.rule][at.key] = anyNumber.ReplaceAllStringFunc(base[at], func(number string) string {
			n++
			if key := marks[n]; key != "" {
				return "«" + key + "=" + number + "»"
			}
			return number
		})
	}
	return encode("The rules' texts that have thresholds, for the chart's prometheusRule.thresholds.",
		map[string]any{"keys": keys, "recording": texts["recording"], "alerts": texts["alerts"]})
}

// markThreshold notes which numbers of a text a key changes: to its own value, or to a hundred times that.
func markThreshold(
	changes map[place]map[int]string, at place, text, changed, key string, value float64,
) error {
	if text == changed {
		return nil
	}
	before, after := anyNumber.FindAllString(text, -1), anyNumber.FindAllString(changed, -1)
	// lines may break elsewhere
	words := func(text string) []string { return strings.Fields(anyNumber.ReplaceAllString(text, "")) }
	if !slices.Equal(words(text), words(changed)) || len(before) != len(after) {
		return fmt.Errorf("%v: %s changes more than numbers; the chart can't set it", at, key)
	}
	for i := range before {
		if before[i] == after[i] {
			continue
		}
		mark := key
		switch before[i] {
		case strconv.FormatFloat(value, 'f', -1, 64):
		case strconv.FormatFloat(100*value, 'f', -1, 64):
			mark += "%"
		default:
			return fmt.Errorf("%v: %s isn't %s; the chart can't set it", at, before[i], key)
		}
		if changes[at] == nil {
			changes[at] = make(map[int]string)
		}
		if other := changes[at][i]; other != "" {
			return fmt.Errorf("%v: both %s and %s change %s; the chart can't set them", at, other, key, before[i])
		}
		changes[at][i] = mark
	}
	return nil
}
