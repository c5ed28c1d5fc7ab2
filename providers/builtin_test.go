package providers_test

import (
	"context"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// run plays the laws on the text of a definition.
func run(text string, only ...string) ([]laws.Verdict, error) {
	d, err := declared.Load("definition.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	return laws.Run(context.Background(), laws.Settings{Definition: d, Laws: only})
}

// keepsLaws plays the laws on the text of a definition. It fails the test for each broken law.
func keepsLaws(t *testing.T, text string) []laws.Verdict {
	t.Helper()
	verdicts, err := run(text)
	require.NoError(t, err)
	for _, v := range verdicts {
		if v.State == laws.Broken {
			t.Errorf("%s %s: %s", v.Feed, v.Law, v.Detail)
		}
	}
	return verdicts
}

// TestBuiltin: every definition that is built in keeps all laws.
func TestBuiltin(t *testing.T) {
	for _, name := range declared.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := declared.BuiltinText(name)
			require.NoError(t, err)
			for _, v := range keepsLaws(t, string(text)) {
				if v.State == laws.NotJudged && v.Law == "rows" {
					t.Errorf("the rows of %s aren't judged: %s", v.Feed, v.Detail)
				}
			}
		})
	}
}
