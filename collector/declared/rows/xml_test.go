package rows_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// TestLongXMLRow: a document ends at a row of more than 16 MiB, which isn't kept in memory.
func TestLongXMLRow(t *testing.T) {
	text := "<l><cdr><id>a</id></cdr><cdr><id>" + strings.Repeat("x", 17<<20) + "</id></cdr><cdr/></l>"
	said := ""
	for row, err := range rows.ReadXML(strings.NewReader(text), []string{"cdr"}) {
		if said += string(row.Raw) + "|"; err != nil {
			said += err.Error()
		}
	}
	if want := `{"id":"a"}||it has a row, or a piece between rows, of more than 16 MiB`; said != want {
		t.Errorf("got %.300s, want %s", said, want)
	}
}
