package declared_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// A row of one column is a line, in which places count: its blanks stay for expressions and `match`.
func TestLineKeepsItsBlanks(t *testing.T) {
	m := mapper(t, `    record:
      start: {path: line, match: '^(.{11})', time: "010206 1504"}
      outcome: {is: answered}
      trunk: {path: line, match: '^.{12}(.{6})'}
      call_type: {expr: 'len(line) == 20 ? "whole" : "cut"'}
`, declared.MapperSettings{Zone: time.UTC})
	got := m.MapFields([]string{"line"}, []string{"112025 1005   fra   "})
	if got.Record == nil || got.Record.Trunk != "fra" || got.Record.CallType != "whole" {
		t.Errorf("%+v", got)
	}
}
