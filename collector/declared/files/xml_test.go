package files_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// xmlDefinition is a definition of whole files of XML; more is what its record has beside start and
// outcome.
func xmlDefinition(rows, more string) string {
	return strings.Replace(filesDefinition("read: whole, format: xml"), "    record:", rows+"    record:\n"+more, 1)
}

// element is a row of XML.
func element(trunk string) string {
	return "<cdr><start>1795428001</start><state>busy</state><trunk>" + trunk + "</trunk></cdr>"
}

// TestXMLPaths: what a path leads to.
func TestXMLPaths(t *testing.T) {
	const text = `<l><cdr id="7" xmlns:n="urn:x"><start>1795428001</start><state>busy</state>
<caller type="ext" n:lang="de"><name>Ann</name><number>+49</number></caller>
<leg><to>1</to></leg><leg code="x"><to>2</to></leg><empty/><note kind="a">hi</note></cdr></l>`
	for path, want := range map[string]string{
		`"@id"`: "7", "caller.name": "Ann", "caller@type": "ext", "caller@lang": "de", "leg.0.to": "1", "leg.1.to": "2",
		"leg@code.1": "x", "leg@code.0": "",
		"empty": "", "note": "hi", "note@kind": "a", "cdr": "", "[leg.5.to, caller.name]": "Ann",
		"{expr: 'len(leg)'}": "2",
	} {
		t.Run(path, func(t *testing.T) {
			d, err := declared.Load("d.yaml",
				[]byte(strings.Replace(xmlDefinition("    rows: cdr\n", ""), "trunk: trunk", "trunk: "+path, 1)))
			require.NoError(t, err)
			feed := d.Feeds["calls"]
			for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(text)) {
				if m.Record == nil || m.Record.Trunk != want {
					t.Errorf("got %+v, want %q", m, want)
				}
			}
		})
	}
}

// TestXMLIdentity: a row without an id is known by the bytes that it becomes, in the element's order. If these change,
// a file that was read counts once more.
func TestXMLIdentity(t *testing.T) {
	const text = `<l><cdr id="7"><state>busy</state><leg code="x"><to>2</to></leg><leg/><a>&lt;1&gt;</a></cdr></l>`
	const want = `{"@id":"7","state":"busy","leg":[{"to":"2"},""],"leg@code":["x"],"a":"<1>"}`
	for row, err := range rows.ReadXML(strings.NewReader(text), []string{"cdr"}) {
		if err != nil || string(row.Raw) != want {
			t.Errorf("got %s, %v, want %s", row.Raw, err, want)
		}
	}
}

// TestXMLElements: the texts of elements are in UTF-8, from their first byte to their last.
func TestXMLElements(t *testing.T) {
	const text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<l>\xe4<cdr a=\"\xfc\"><b/></cdr> <cdr/>\xe4</l>"
	got, err := rows.XMLElements([]byte(text), []string{"cdr"})
	if want := []string{`<cdr a="ü"><b/></cdr>`, "<cdr/>"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// FuzzXML: whatever a document is, each row becomes something, a file is read or set aside, and no
// problem quotes a value.
func FuzzXML(f *testing.F) {
	f.Add([]byte("<l>" + element("a") + element("b") + "</l>"))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><cdr a="1"><b c="2">x</b><b/></cdr>`))
	f.Add([]byte("<!DOCTYPE l [<!ENTITY e \"e\">]><l>&e;</l>"))
	d, err := declared.Load("d.yaml", []byte(xmlDefinition("    rows: cdr\n", "")))
	require.NoError(f, err)
	feed := d.Feeds["calls"]
	f.Fuzz(func(t *testing.T, text []byte) {
		for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try(append([]byte("<"), text...)) {
			if (m.Record == nil) == (m.Invalid == "" && !m.Ignored) {
				t.Errorf("row %d is %+v", number, m)
			}
		}
	})
}
