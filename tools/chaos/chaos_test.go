package main

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestChaos (guarantees 1, 4, 5): a handful of kills; `make chaos` does many.
func TestChaos(t *testing.T) {
	for name, args := range map[string][]string{
		"SQLite":               {"-kills=6", "-seed=1"},
		"SQLite, for a second": {"-for=1s"},
		"two replicas":         {"-kills=3", "-seed=1", "-replicas=2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := run(t.Context(), args, &out); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			if !strings.Contains(out.String(), " 0 differences\n") {
				t.Errorf("it printed:\n%s", &out)
			}
		})
	}
}
