package parts

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestHasten(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"range", `rate(x[5m])`, `rate(x[10s])`},
		{"offset", `x offset 1w`, `x offset 5h36m`},
		{"odd range", `rate(x[35m])`, `rate(x[1m10s])`},
		{"less than a second", `x[10s]`, `x[333ms]`},
		{
			"names of series and codes stay", `a_b:c:rate5m{code=~"300|3600"} > 14.4 * 0.01`,
			`a_b:c:rate5m{code=~"300|3600"} > 14.4 * 0.01`,
		},
		{"calls of a window", `round(a:b:rate1h * 3600) >= 30`, `round(a:b:rate1h * 120) >= 30`},
		{"days", `x - time() < 30 * 86400`, `x - time() < 30 * 2880`},
		{"no seconds", `x > 0.8 * 1000000`, `x > 0.8 * 1000000`},
		{
			"Alertmanager", "now: 0s\nwait: 30s\nevery: 12h\nurl: http://127.0.0.1:9099/5m",
			"now: 0s\nwait: 1s\nevery: 24m\nurl: http://127.0.0.1:9099/10s",
		},
	} {
		if got := hasten(c.text, 30); got != c.want {
			t.Errorf("%s: %s becomes %s, want %s", c.name, c.text, got, c.want)
		}
	}
}

// rule is one of a file of rules.
type rule struct{ Record, Alert, Expr, For string }

// rulesAt are the shipped rules at a speed.
func rulesAt(t *testing.T, speed int) (all []rule) {
	t.Helper()
	files, err := WriteRules(t.TempDir(), speed)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		var content struct{ Groups []struct{ Rules []rule } }
		text, err := os.ReadFile(file)
		if err == nil {
			err = yaml.Unmarshal(text, &content)
		}
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(file), err)
		}
		for _, g := range content.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

// TestEveryNumberIsKnown: of each larger number in a rule it is known whether it is of
// seconds; a new one must be among them, or be named here.
func TestEveryNumberIsKnown(t *testing.T) {
	others := []string{
		"100",        // attempts in three days
		"120",        // seconds between two clocks, which run no faster
		"1000000000", // bytes of a disk
		// floors of charges
		"150", "200", "400", "500", "800", "2000", "3000", "8000", "30000",
	}
	for _, r := range rulesAt(t, 1) {
		for _, number := range token.FindAllString(r.Expr, -1) {
			if n, err := strconv.Atoi(number); err == nil && n >= 100 && !slices.Contains(seconds, number) &&
				!slices.Contains(others, number) {
				t.Errorf("%s%s: is %d a number of seconds?", r.Record, r.Alert, n)
			}
		}
	}
}

// TestWriteRules: the rules are those that are shipped, but for their times.
func TestWriteRules(t *testing.T) {
	fast := rulesAt(t, 30)
	for i, r := range rulesAt(t, 1) {
		f := fast[i]
		if f.Alert != r.Alert || f.Record != r.Record || f.For != "" && f.For == r.For {
			t.Errorf("%s%s for %s becomes %s%s for %s", r.Record, r.Alert, r.For, f.Record, f.Alert, f.For)
		}
		if r.Alert == "CDRTrunkDown" && (r.For != "1m" || f.For != "2s") {
			t.Errorf("%s holds for %s, and %s when hastened", r.Alert, r.For, f.For)
		}
		if strings.Contains(f.Expr, "[5m]") || strings.Contains(f.Expr, "3600") {
			t.Errorf("%s%s isn't hastened: %s", f.Record, f.Alert, f.Expr)
		}
	}
}
