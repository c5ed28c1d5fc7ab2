package rules

import (
	"bytes"
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

// ruleTexts are the texts of all rules, by file, by group and number of the rule, and by key.
func (p *Parameters) ruleTexts() map[string]map[string]map[string]string {
	all := make(map[string]map[string]map[string]string)
	for file, groups := range map[string][]Group{"recording": p.Recording(), "alerts": p.Alerting()} {
		all[file] = make(map[string]map[string]string)
		for _, g := range groups {
			for i, r := range g.Rules {
				all[file][fmt.Sprintf("%s/%d", g.Name, i)] = map[string]string{
					"expr": r.Expr, "summary": r.Summary,
					"description": r.Description,
				}
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
	marked := make(map[string]any)
	changes := make(map[string]map[int]string) // by text, and by which of its numbers
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
		for file, rules := range p.ruleTexts() {
			for at, texts := range rules {
				for field, now := range texts {
					if err := markThreshold(changes, file+" "+at+" "+field, base[file][at][field], now, key,
						was); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	for file, rules := range base {
		own := make(map[string]any)
		marked[file] = own
		for at, texts := range rules {
			filled := make(map[string]string)
			for field, text := range texts {
				if places := changes[file+" "+at+" "+field]; places != nil {
					n := -1
					filled[field] = anyNumber.ReplaceAllStringFunc(text, func(number string) string {
						n++
						if key := places[n]; key != "" {
							return "«" + key + "=" + number + "»"
						}
						return number
					})
				}
			}
			if len(filled) > 0 {
				own[at] = filled
			}
		}
	}
	slices.Sort(keys)
	marked["keys"] = keys
	var b bytes.Buffer
	fmt.Fprintf(&b, header, "The rules' texts that have thresholds, for the chart's prometheusRule.thresholds.")
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	err = encoder.Encode(marked)
	return b.Bytes(), err
}

// markThreshold notes which numbers of a text a key changes: to its own value, or to a hundred times that.
func markThreshold(changes map[string]map[int]string, at, text, changed, key string, value float64) error {
	if text == changed {
		return nil
	}
	before, after := anyNumber.FindAllString(text, -1), anyNumber.FindAllString(changed, -1)
	// lines may break elsewhere
	words := func(text string) []string { return strings.Fields(anyNumber.ReplaceAllString(text, "")) }
	if !slices.Equal(words(text), words(changed)) || len(before) != len(after) {
		return fmt.Errorf("%s: %s changes more than numbers; the chart can't set it", at, key)
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
			return fmt.Errorf("%s: %s isn't %s; the chart can't set it", at, before[i], key)
		}
		if changes[at] == nil {
			changes[at] = make(map[int]string)
		}
		if other := changes[at][i]; other != "" {
			return fmt.Errorf("%s: both %s and %s change %s; the chart can't set them", at, other, key, before[i])
		}
		changes[at][i] = mark
	}
	return nil
}
