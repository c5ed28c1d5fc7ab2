package labels

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// department is a label of a file with this text.
func department(t *testing.T, key, text string) config.Label {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return config.Label{Name: "department", File: config.File(file), Key: key, Column: key, Value: "department"}
}

func load(t *testing.T, all ...config.Label) *Set {
	t.Helper()
	set, err := Load(all)
	require.NoError(t, err)
	return set
}

func TestApply(t *testing.T) {
	people := "name,user,department\nAda,Ada@Contoso.com,Sales\nBob,b0b,Support\n\"Eve, the third\",101, " +
		"Legal \nnobody,x,\n"
	numbers := "number,department\n+49 (30) 1234,Berlin\n+49,Germany\n1555,USA\n"
	trunks := "trunk,department\nSBC1.Example.com,Core\ncarrier-a,Core\n"
	for _, c := range []struct {
		name, key, text string
		record          cdr.Record
		want            cdr.Labels
	}{
		{"principal, without case", "user", people, cdr.Record{UserPrincipal: "ADA@contoso.COM"}, "department=Sales\n"},
		{"id", "user", people, cdr.Record{UserPrincipal: "other", UserID: "B0B"}, "department=Support\n"},
		{
			"extension of an outbound call", "user", people,
			cdr.Record{Direction: cdr.Outbound, CallerNumber: "101", CalleeNumber: "+4930"},
			"department=Legal\n",
		},
		{
			"extension of an inbound call", "user", people,
			cdr.Record{Direction: cdr.Inbound, CallerNumber: "+4930", CalleeNumber: "101"},
			"department=Legal\n",
		},
		{
			"the other party isn't ours", "user", people,
			cdr.Record{Direction: cdr.Inbound, CallerNumber: "101", CalleeNumber: "102"},
			"",
		},
		{"an extension among the provider's fields", "user", people, cdr.Record{
			Direction: cdr.Inbound, CalleeNumber: "+49301", Extra: []cdr.Attr{cdr.Text("from_extension_number", "7",
				cdr.Number), cdr.Text("to_extension_number", "101", cdr.Number)},
		}, "department=Legal\n"},
		{"the caller of an internal call that is listed for its callee", "user", people, cdr.Record{
			Direction: cdr.Internal, UserID: "b0b", Extra: []cdr.Attr{
				cdr.Text("extension_id", "b0b", cdr.User),
				cdr.Text("from_extension_number", "101", cdr.Number),
			},
		}, "department=Legal\n"},
		{"an internal call whose caller is in no file", "user", people, cdr.Record{
			Direction: cdr.Internal, UserID: "b0b",
			Extra: []cdr.Attr{cdr.Text("from_extension_number", "7", cdr.Number)},
		}, ""},
		{"a key without a value", "user", people, cdr.Record{UserID: "x"}, ""},
		{
			"a byte order mark, Windows' line ends and the same row twice", "user",
			"\ufeffuser,department\r\nada,Sales\r\nada,Sales\r\n",
			cdr.Record{UserID: "ada"},
			"department=Sales\n",
		},
		{"no key", "user", people, cdr.Record{}, ""},
		{
			"longest prefix", "number", numbers,
			cdr.Record{Direction: cdr.Outbound, CallerNumber: "+49301234567"},
			"department=Berlin\n",
		},
		{
			"shorter prefix", "number", numbers,
			cdr.Record{Direction: cdr.Inbound, CalleeNumber: "+4940123"},
			"department=Germany\n",
		},
		{
			"without a plus", "number", numbers,
			cdr.Record{Direction: cdr.Internal, CallerNumber: "1555000"},
			"department=USA\n",
		},
		{"another number", "number", numbers, cdr.Record{CallerNumber: "+33"}, ""},
		{"trunk", "trunk", "trunk,department\nsbc1,Core\n", cdr.Record{Trunk: "sbc1"}, "department=Core\n"},
		{
			"trunk that is a number, which readers hide", "trunk", "trunk,department\nPJSIP/4930123456,Core\n",
			cdr.Record{Trunk: cdr.HideNumbers("PJSIP/4930123456")},
			"department=Core\n",
		},
		{"trunk, capitals in the file", "trunk", trunks, cdr.Record{Trunk: "sbc1.example.com"}, "department=Core\n"},
		{"trunk, capitals in the record", "trunk", trunks, cdr.Record{Trunk: "Carrier-A"}, "department=Core\n"},
		{"source", "source", "source,department\ncontoso,All\n", cdr.Record{}, "department=All\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := c.record
			load(t, department(t, c.key, c.text)).Apply("contoso", []*cdr.Record{&record})
			if record.Labels != c.want {
				t.Errorf("got %q, want %q", record.Labels, c.want)
			}
		})
	}
}

// TestTold: without a file the value comes from the provider, and a value that may be a number
// isn't shown.
func TestTold(t *testing.T) {
	r := cdr.Record{ProviderLabels: []cdr.Label{
		{Name: "site", Value: "Berlin"},
		{Name: "unlisted", Value: "x"},
		{Name: "department", Value: "+49 30 1234567"},
	}}
	set := load(t, config.Label{Name: "site"}, config.Label{Name: "department"}, config.Label{Name: "absent"})
	set.Apply("zoom", []*cdr.Record{&r})
	if r.Labels.Value("site") != "Berlin" || strings.Contains(string(r.Labels), "1234567") ||
		r.Labels.Value("unlisted") != "" {
		t.Errorf("%q", r.Labels)
	}
}

// TestSubnets: streams have the label of the narrowest network that their sender is in, from a
// table or from Microsoft's building file; calls don't.
func TestSubnets(t *testing.T) {
	const table = "subnet,department\n10.0.0.0/8,Everywhere\n10.1.2.77/24,Berlin\n2001:db8::/48,Lab\n10.9.9.9,Desk\n"
	const buildings = "10.1.2.0,Net 1,24,\"Tower, " +
		"north\",Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n10.1.3.0,Net " +
		"2,26,Annex,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0,0\n"
	building := func(text string) config.Label {
		l := department(t, "subnet", text)
		l.Value = "BuildingName"
		return l
	}
	for _, c := range []struct {
		name   string
		label  config.Label
		sender string
		want   cdr.Labels
	}{
		{"narrowest network", department(t, "subnet", table), "10.1.2.0", "department=Berlin\n"},
		{"wider network", department(t, "subnet", table), "10.1.3.4", "department=Everywhere\n"},
		{"IPv6", department(t, "subnet", table), "2001:db8:0:7::1", "department=Lab\n"},
		{"an address alone", department(t, "subnet", table), "10.9.9.9", "department=Desk\n"},
		{"another network", department(t, "subnet", table), "192.0.2.1", ""},
		{"no sender", department(t, "subnet", table), "", ""},
		{"building file", building(buildings), "10.1.2.0", "department=Tower, north\n"},
		{"building file without its last column", building("10.1.2.0,Net " +
			"1,24,Tower,Contoso,Office,IT,Berlin,10115,DE,,EMEA,1,0\n"), "10.1.2.9", "department=Tower\n"},
		{"just outside of a building's network", building(buildings), "10.1.3.64", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			sender, _ := netip.ParseAddr(c.sender)
			r := &cdr.Record{Streams: []cdr.Stream{{Sender: sender}}}
			load(t, c.label).Apply("contoso", []*cdr.Record{r})
			if r.Streams[0].Labels != c.want || r.Labels != "" {
				t.Errorf("got %q of the stream, %q of the call, want %q", r.Streams[0].Labels, r.Labels, c.want)
			}
		})
	}
}

func TestRefusedSubnets(t *testing.T) {
	for _, c := range []struct{ name, value, text, want string }{
		{
			"not a network", "department", "subnet,department\n10.1.0.0/33,Berlin\n",
			"people.csv:2: the key isn't a network",
		},
		{"not a range", "BuildingName", "10.1.0.0,Net,x,Tower\n", "people.csv:1: the key isn't a network"},
		{
			"the same network", "department", "subnet,department\n10.1.0.0/16,Berlin\n10.1.2.3/16,Rome\n",
			"people.csv:3: has the key of line 2 with another value",
		},
		{
			"a column that the building file doesn't have", "building", "10.1.0.0,Net,16,Tower\n",
			"has no column building; it has NetworkIP, NetworkName, NetworkRange, BuildingName:",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := department(t, "subnet", c.text)
			l.Value = c.value
			if _, err := Load([]config.Label{l}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	many := &strings.Builder{}
	for i := range 1001 {
		fmt.Fprintf(many, "u%d,d%d\n", i, i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"no header", "", "people.csv:1: has no header line"},
		{"no such column", "name,department\nada,Sales\n", "people.csv:1: has no column user"},
		{
			"another value", "user,department\nada,Sales\n\nADA,Support\n",
			"people.csv:4: has the key of line 2 with another value",
		},
		{
			"short row", "user,department\nada\n",
			"people.csv:2: isn't a CSV row with the same number of values as the first one",
		},
		{"open quote", "user,department\n\"ada,Sales\n", "people.csv:"},
		{
			"too many values, rows that are ignored left out", "user,department\nno value,\n,no key\n" + many.String(),
			"people.csv:1004: has more than 1000 distinct values",
		},
		{"a line break", "user,department\nada,\"a\nb\"\n", "has a line break"},
		{"too long", "user,department\nada," + strings.Repeat("x", 129) + "\n", "is longer than 128 bytes"},
		{"not UTF-8", "user,department\nada,\xff\n", "isn't UTF-8"},
		{"key not UTF-8", "user,department\nad\xe4,x\n", "isn't UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load([]config.Label{department(t, "user", c.text)})
			if err == nil || !strings.Contains(err.Error(), c.want) ||
				strings.Contains(strings.ToLower(err.Error()), "ada") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func FuzzFile(f *testing.F) {
	f.Add("user,department\nada,Sales\n")
	f.Add("\"user\",department\n\"a\nb\",x\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := department(t, "user", text)
		set, err := Load([]config.Label{c})
		if err != nil {
			return
		}
		r := cdr.Record{UserID: "ada"}
		set.Apply("", []*cdr.Record{&r})
		if again := cdr.NewLabels([]cdr.Label{{
			Name:  "department",
			Value: r.Labels.Value("department"),
		}}); again != r.Labels {
			t.Errorf("%q is read as %q", r.Labels, again)
		}
	})
}

// TestFileWithoutHeader: the error of a file without a header, which the log and the status page
// show, repeats none of its users and numbers.
func TestFileWithoutHeader(t *testing.T) {
	for key, row := range map[string]string{"number": "+49 30 1234567", "user": "ada@contoso.com"} {
		_, err := Load([]config.Label{department(t, key, row+",Sales\n"+row+",Sales\n")})
		if err == nil || strings.Contains(err.Error(), row) || strings.Contains(err.Error(), "Sales") {
			t.Errorf("the error is %v", err)
		}
	}
}
