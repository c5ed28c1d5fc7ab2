package declared_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// base is a definition of testdata/definitions.
func base(t testing.TB, name string) string {
	t.Helper()
	return golden.Read(t, "testdata/definitions/"+name+".yaml")
}

// TestProblems: what is wrong with a definition, or with a source's block, is reported with file, line and key.
func TestProblems(t *testing.T) {
	lines := strings.NewReplacer(`\n`, "\n")
	golden.Cases(t, "testdata/problems.txt", func(t *testing.T, c *golden.Case) {
		name, _, _ := strings.Cut(c.Name, ":")
		folder := t.TempDir()
		text, block, opens, last := strings.Join(c.Lines, "\n"), "", false, 0
		if name != "extends" {
			text = base(t, name)
		}
		for i, line := range c.Lines {
			if line != "" {
				last = i
			}
			if rest, is := strings.CutPrefix(line, "open"); is {
				block, opens = rest, true
			} else if was, becomes, is := strings.Cut(line, " =>"); is {
				if was = lines.Replace(was); !strings.Contains(text, was) {
					t.Fatalf("the definition doesn't have %q", was)
				}
				text = strings.Replace(text, was, strings.TrimPrefix(lines.Replace(becomes), " "), 1)
			}
		}
		_, err := declared.Load("d.yaml", []byte(text))
		if opens {
			_, err = declaredtest.Open(folder, text, block, time.Now)
		}
		if err == nil {
			err = errors.New("fine")
		}
		c.Say(last, strings.ReplaceAll(err.Error(), folder+"/", ""))
	})
}

func TestMostCharges(t *testing.T) {
	for n, problem := range map[int]string{
		cdr.MaxCharges: "", cdr.MaxCharges + 1: "d.yaml:15: feeds.calls.record.charges: has 65 components, at most 64",
	} {
		charges := ""
		for i := range n {
			charges += fmt.Sprintf("{component: c%d, amount: a}, ", i)
		}
		text := strings.Replace(base(t, "whole"), "      direction:",
			"      charges: ["+charges+"]\n      direction:", 1)
		_, err := declared.Load("d.yaml", []byte(text))
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%d: %v", n, err)
		}
	}
}
