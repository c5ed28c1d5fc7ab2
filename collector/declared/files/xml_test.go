package files_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
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

// TestXML: elements are rows, and bad ones cost no other.
func TestXML(t *testing.T) {
	const rows, root = "    rows: cdr\n", ""
	a, b := element("a"), element("b")
	deep := func(n int) string { return strings.Repeat("<x>", n) + a + strings.Repeat("</x>", n) }
	for _, c := range []struct{ name, rows, text, want string }{
		{"a list", rows, `<?xml version="1.0"?><cdrs>` + a + "\n" + b + "</cdrs>\n", "a b"},
		{"the root", rows, a, "a"},
		{"the root, without rows", root, a, "a"},
		{"a byte order mark", rows, "\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + a, "a"},
		{"documents one after the other", rows, a + b, "a b"},
		{"at different depths", rows, "<l>" + a + "<page><n>1</n>" + b + "</page></l>", "a b"},
		{"below another element", "    rows: out.cdr\n", "<l><in>" + a + "</in><out>" + b + "</out></l>", "b"},
		{"equal ones", rows, "<l>" + a + a + "</l>", "a a"},
		{"an empty list", rows, "<cdrs/>", ""},
		{"entities of XML, and CDATA", rows, element("&lt;&#228;&amp;") + element("<![CDATA[<b>]]>"), "<b> <ä&"},
		{"blanks and comments", rows, element("\n a <!-- x --> "), "a"},
		{
			"name spaces", rows,
			`<n:l xmlns:n="urn:x"><n:cdr><n:start>1795428001</n:start><state>busy</state><n:trunk>a</n:trunk></n:cdr></n:l>`, "a",
		},
		{"ISO-8859-1", rows, `<?xml version="1.0" encoding="iso-8859-1"?>` + element("\xe4"), "ä"},
		{"a byte that isn't UTF-8", rows, "<l>" + element("\xe4\x01") + b + "</l>", "b \ufffd\ufffd"},
		{
			"another encoding", rows, `<?xml version="1.0" encoding="UTF-16"?>` + a,
			"!its encoding must be UTF-8 or ISO-8859-1",
		},
		{"a row without a start", rows, "<l><cdr><state>busy</state></cdr>" + a + "</l>", "!start is missing a"},
		{
			"a value that is too long", rows, "<l>" + element(strings.Repeat("x", 1<<20+1)) + a + "</l>",
			"!it has a value longer than 1 MiB a",
		},
		{
			"an attribute that is too long", rows, `<l><cdr x="` + strings.Repeat("x", 1<<20+1) + `"/>` + a + "</l>",
			"!it has a value longer than 1 MiB a",
		},
		{
			"a row that is far too long", rows, "<l>" + a + element(strings.Repeat("x", 17<<20)) + b + "</l>",
			"!it has a row, or a piece between rows, of more than 16 MiB a",
		},
		{"32 deep", rows, deep(30), "a"},
		{"33 deep", rows, deep(31), "!it has elements more than 32 deep"},
		{"far too deep", rows, deep(100_000), "!it has elements more than 32 deep"},
		{"a DTD", rows, `<!DOCTYPE l [<!ENTITY e "eeee">]><l>` + a + "</l>", "!it has a DTD, which isn't supported"},
		{"a DTD within", rows, "<l>" + a + `<cdr><!DOCTYPE x></cdr></l>`, "!it has a DTD, which isn't supported a"},
		{"another entity", rows, "<l>" + a + "\n" + element("&e;") + "</l>", "!it isn't valid XML, at line 2 a"},
		{"cut", rows, "<l>" + a + "\n" + b[:20], "!it isn't valid XML, at line 2 a"},
		{"another end", rows, "<l>" + a + "</m>", "!it isn't valid XML, at line 1 a"},
		{"no row", rows, "<l><call/></l>", "!it doesn't have the element cdr"},
		{"no XML", rows, "start,state\n", "!it isn't XML"},
		{"empty", rows, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, xmlDefinition(c.rows, ""), "calls: {}, paths: ['calls*']")
			r.put("calls.xml", c.text)
			r.rest()
			r.poll()
			if waits := strings.Contains(c.want, "!it"); waits != (r.waits == "held") &&
				!strings.Contains(c.want, "!it has a value") {
				t.Errorf("waits %q: %q", r.waits, r.troubles)
			}
			r.pass(2 * time.Hour)
			r.poll()
			r.forget()
			if n := r.poll(); n > 0 || len(r.troubles) > 0 {
				t.Errorf("%d more, troubles %q", n, r.troubles)
			}
			var got []string
			for name, n := range r.rows {
				got = append(got, slices.Repeat([]string{name}, n)...)
			}
			for _, problem := range r.invalid {
				got = append(got, "!"+problem)
			}
			slices.Sort(got)
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("%q, want %q", text, c.want)
			}
			r.put("calls.2.xml", c.text)
			r.rest()
			if n := r.poll(); n > 0 {
				t.Errorf("a copy counts %d", n)
			}
		})
	}
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
			if err != nil {
				t.Fatal(err)
			}
			feed := d.Feeds["calls"]
			for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(text)) {
				if m.Record == nil || m.Record.Trunk != want {
					t.Errorf("got %+v, want %q", m, want)
				}
			}
		})
	}
}

// FuzzXML: whatever a document is, each row becomes something, a file is read or set aside, and no
// problem quotes a value.
func FuzzXML(f *testing.F) {
	f.Add([]byte("<l>" + element("a") + element("b") + "</l>"))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><cdr a="1"><b c="2">x</b><b/></cdr>`))
	f.Add([]byte("<!DOCTYPE l [<!ENTITY e \"e\">]><l>&e;</l>"))
	d, err := declared.Load("d.yaml", []byte(xmlDefinition("    rows: cdr\n", "")))
	if err != nil {
		f.Fatal(err)
	}
	feed := d.Feeds["calls"]
	f.Fuzz(func(t *testing.T, text []byte) {
		for number, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try(append([]byte("<"), text...)) {
			if (m.Record == nil) == (m.Invalid == "" && !m.Ignored) {
				t.Errorf("row %d is %+v", number, m)
			}
		}
	})
}
