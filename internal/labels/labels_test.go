package labels

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// department is a label of a file with this text.
func department(t *testing.T, key, text string) config.Label {
	t.Helper()
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Label{Name: "department", File: config.File(file), Key: key, Column: key, Value: "department"}
}

func load(t *testing.T, all ...config.Label) *Set {
	t.Helper()
	set, err := Load(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestApply(t *testing.T) {
	people := "name,user,department\nAda,Ada@Contoso.com,Sales\nBob,b0b,Support\n\"Eve, the third\",101, Legal \nnobody,x,\n"
	numbers := "number,department\n+49 (30) 1234,Berlin\n+49,Germany\n1555,USA\n"
	for _, c := range []struct {
		name, key, text string
		record          cdr.Record
		want            cdr.Labels
	}{
		{"principal, without case", "user", people, cdr.Record{UserPrincipal: "ADA@contoso.COM"}, "department=Sales\n"},
		{"id", "user", people, cdr.Record{UserPrincipal: "other", UserID: "B0B"}, "department=Support\n"},
		{"extension of an outbound call", "user", people, cdr.Record{Direction: cdr.Outbound, CallerNumber: "101", CalleeNumber: "+4930"}, "department=Legal\n"},
		{"extension of an inbound call", "user", people, cdr.Record{Direction: cdr.Inbound, CallerNumber: "+4930", CalleeNumber: "101"}, "department=Legal\n"},
		{"the other party isn't ours", "user", people, cdr.Record{Direction: cdr.Inbound, CallerNumber: "101", CalleeNumber: "102"}, ""},
		{"an extension among the provider's fields", "user", people, cdr.Record{
			Direction: cdr.Inbound, CalleeNumber: "+49301", Extra: []cdr.Attr{cdr.Text("from_extension_number", "7", cdr.Number), cdr.Text("to_extension_number", "101", cdr.Number)},
		}, "department=Legal\n"},
		{"a key without a value", "user", people, cdr.Record{UserID: "x"}, ""},
		{"no key", "user", people, cdr.Record{}, ""},
		{"longest prefix", "number", numbers, cdr.Record{Direction: cdr.Outbound, CallerNumber: "+49301234567"}, "department=Berlin\n"},
		{"shorter prefix", "number", numbers, cdr.Record{Direction: cdr.Inbound, CalleeNumber: "+4940123"}, "department=Germany\n"},
		{"without a plus", "number", numbers, cdr.Record{Direction: cdr.Internal, CallerNumber: "1555000"}, "department=USA\n"},
		{"another number", "number", numbers, cdr.Record{CallerNumber: "+33"}, ""},
		{"trunk", "trunk", "trunk,department\nsbc1,Core\n", cdr.Record{Trunk: "sbc1"}, "department=Core\n"},
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

// TestTold: without a file the provider tells the value, and what may be a number isn't shown.
func TestTold(t *testing.T) {
	r := cdr.Record{Told: []cdr.Label{{Name: "site", Value: "Berlin"}, {Name: "unlisted", Value: "x"}, {Name: "department", Value: "+49 30 1234567"}}}
	set := load(t, config.Label{Name: "site"}, config.Label{Name: "department"})
	set.Apply("zoom", []*cdr.Record{&r})
	if r.Labels.Value("site") != "Berlin" || strings.Contains(string(r.Labels), "1234567") || r.Labels.Value("unlisted") != "" {
		t.Errorf("%q", r.Labels)
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
		{"another value", "user,department\nada,Sales\n\nADA,Support\n", "people.csv:4: has the key of line 2 with another value"},
		{"short row", "user,department\nada\n", "people.csv:2: is no CSV row with as many values as the header"},
		{"open quote", "user,department\n\"ada,Sales\n", "people.csv:"},
		{"too many values", "user,department\n" + many.String(), "people.csv:1002: has more than 1000 distinct values"},
		{"a line break", "user,department\nada,\"a\nb\"\n", "has a line break"},
		{"too long", "user,department\nada," + strings.Repeat("x", 129) + "\n", "is longer than 128 bytes"},
		{"not UTF-8", "user,department\nada,\xff\n", "isn't UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load([]config.Label{department(t, "user", c.text)})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(strings.ToLower(err.Error()), "ada") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestAcceptedFiles: a byte order mark, the same row twice and Windows' line ends are fine.
func TestAcceptedFiles(t *testing.T) {
	set := load(t, department(t, "user", "\ufeffuser,department\r\nada,Sales\r\nada,Sales\r\n"))
	r := cdr.Record{UserID: "ada"}
	set.Apply("", []*cdr.Record{&r})
	if r.Labels != "department=Sales\n" {
		t.Errorf("%q", r.Labels)
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
		if again := cdr.NewLabels([]cdr.Label{{Name: "department", Value: r.Labels.Value("department")}}); again != r.Labels {
			t.Errorf("%q is read as %q", r.Labels, again)
		}
	})
}
