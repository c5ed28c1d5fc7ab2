package providers_test

import (
	"context"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// run plays the laws on the text of a definition.
func run(t *testing.T, text string) (verdicts map[string]laws.Verdict, err error) {
	t.Helper()
	d, err := declared.Load("definition.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	all, err := laws.Run(context.Background(), laws.Settings{Definition: d})
	verdicts = make(map[string]laws.Verdict)
	for _, v := range all {
		verdicts[v.Feed+" "+v.Law] = v
	}
	return verdicts, err
}

// keepsLaws plays the laws on the text of a definition. It fails the test for each broken law.
func keepsLaws(t *testing.T, text string) map[string]laws.Verdict {
	t.Helper()
	verdicts, err := run(t, text)
	require.NoError(t, err)
	for law, v := range verdicts {
		if v.State == laws.Broken {
			t.Errorf("%s: %s", law, v.Detail)
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
			for law, v := range keepsLaws(t, string(text)) {
				if v.State == laws.NotJudged && strings.HasSuffix(law, " rows") {
					t.Errorf("%s isn't judged: %s", law, v.Detail)
				}
			}
		})
	}
}
