package main

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/report"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestLabelsNamedAsColumns: a label of the operator's can't have the name of a report's column, whose figure its value
// would replace.
func TestLabelsNamedAsColumns(t *testing.T) {
	sums, err := report.New([]string{"day", "month"}, nil, time.UTC)
	require.NoError(t, err)
	sums.Add("pbx", "cdr", &facts.Fact{Kind: facts.Call, Record: new(cdr.Record)})
	for column := range reportObjects(sums)[0] {
		_, err := config.Parse("config.yaml", []byte("labels: [{name: "+column+"}]\n"), app.ConfigOptions(nil))
		if err == nil || !strings.Contains(err.Error(), "labels[0].name: ") {
			t.Errorf("a label %s is accepted: %v", column, err)
		}
	}
}
