package config_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// grade reads itself.
type grade int

func (g *grade) UnmarshalText(text []byte) error {
	*g = grade(strings.Index("ABC", string(text)))
	return nil
}

func TestTypeThatReadsItself(t *testing.T) {
	var report struct {
		Grades []grade `yaml:"grades"`
	}
	require.NoError(t, config.Unmarshal("c.yaml", []byte("grades: [C, A]\n"), &report, options()))
	equal(t, "grades", report.Grades, []grade{2, 0})
	err := config.Unmarshal("c.yaml", []byte("grades: [[C]]\n"), &report, options())
	if want := "c.yaml:1: grades[0]: must be a whole number without quotes, is a list"; err == nil ||
		err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}
