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

// TestXMLAmpersands: an ampersand that isn't escaped costs no row, nor does a reference to a character that XML doesn't
// allow.
func TestXMLAmpersands(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"bare", "Smith & Sons &", "Smith & Sons &"},
		{"an entity of HTML", "M&uuml;ller &amp", "M&uuml;ller &amp"},
		{"references", "&amp;amp; &lt;1&gt; &#xFC;&#0252; &quot;&apos;", "&amp; <1> üü \"'"},
		{"control characters", "a&#1;b&#x0B;c&#31;d&#x1f;e&#0;", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd"},
		{"allowed ones", "a&#10;b&#x9;c&#13;d", "a\nb\tc\rd"},
		{"CDATA", "<![CDATA[a & b &amp; &#1; ]] <]]> & c", "a & b &amp; &#1; ]] < & c"},
		{"a comment", "a<!-- b & c -->d", "ad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "<l><cdr><id>" + c.text + "</id></cdr><cdr at='" + c.text + "'/></l>"
			if strings.Contains(c.text, "<") {
				text = "<l><cdr><id>" + c.text + "</id></cdr><cdr/></l>"
			}
			var found []string
			for row, err := range rows.ReadXML(strings.NewReader(text), []string{"cdr"}) {
				if found = append(found, string(row.Raw)); err != nil {
					t.Fatal(err)
				}
			}
			if want := `{"id":` + string(rows.Quoted(c.want)) + `}`; len(found) != 2 || found[0] != want {
				t.Errorf("got %q, want %s and another one", found, want)
			}
		})
	}
	if _, err := rows.XMLElements([]byte("<l><cdr>a & b</cdr><cdr>c"), []string{"cdr"}); err == nil {
		t.Error("a cut document was read")
	}
}
