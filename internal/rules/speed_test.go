package rules

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestHastenExpr(t *testing.T) {
	for _, c := range []struct{ name, expr, want string }{
		{"range", `rate(x[5m])`, `rate(x[10s])`},
		{"offset", `x offset 1w`, `x offset 336m`},
		{"odd range", `rate(x[35m])`, `rate(x[70s])`},
		{"less than a second", `x[10s]`, `x[333ms]`},
		{"names of series and codes stay", `a_b:c:rate5m{code=~"300|3600"} > 14.4 * 0.01`, `a_b:c:rate5m{code=~"300|3600"} > 14.4 * 0.01`},
		{"calls of a window", `round(a:b:rate1h * 3600) >= 30`, `round(a:b:rate1h * 120) >= 30`},
		{"days", `x - time() < 30 * 86400`, `x - time() < 30 * 2880`},
		{"no seconds", `x > 0.8 * 1000000`, `x > 0.8 * 1000000`},
	} {
		if got := hastenExpr(c.expr, 30); got != c.want {
			t.Errorf("%s: %s becomes %s, want %s", c.name, c.expr, got, c.want)
		}
	}
	if got, want := HastenText("wait: 30s\nevery: 12h\nurl: http://127.0.0.1:9099/5m", 30), "wait: 1s\nevery: 24m\nurl: http://127.0.0.1:9099/10s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryNumberIsKnown: of each larger number in a rule it is known whether it is of
// seconds; a new one must be told to isSeconds, or be named here.
func TestEveryNumberIsKnown(t *testing.T) {
	p := Default()
	others := []int{smallBurn.floor, p.DiskFreeBytes, int(p.ChargeFloors["JPY"])}
	for _, r := range all() {
		for _, token := range promqlToken.FindAllString(r.Expr, -1) {
			if n, err := strconv.Atoi(token); err == nil && n >= 100 && !isSeconds(token) && !slices.Contains(others, n) {
				t.Errorf("%s%s: is %d a number of seconds?", r.Record, r.Alert, n)
			}
		}
	}
}

// TestHastened: the rules are those that are shipped, but for their times; the shipped ones
// aren't changed by it.
func TestHastened(t *testing.T) {
	shipped, err := Default().AlertsFile()
	if err != nil {
		t.Fatal(err)
	}
	type content struct {
		Groups []struct {
			Name  string
			Rules []struct{ Record, Alert, Expr, For string }
		}
	}
	read := func(speed int) (c content) {
		_, alerts, err := Hastened(speed)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(alerts, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	usual, fast := read(1), read(30)
	for i, g := range usual.Groups {
		for j, r := range g.Rules {
			f := fast.Groups[i].Rules[j]
			if f.Alert != r.Alert || f.For != "" && f.For == r.For {
				t.Errorf("%s for %s becomes %s for %s", r.Alert, r.For, f.Alert, f.For)
			}
			if r.Alert == "CDRTrunkDown" && (r.For != "1m" || f.For != "2s") {
				t.Errorf("%s holds for %s, and %s when hastened", r.Alert, r.For, f.For)
			}
			if strings.Contains(f.Expr, "[5m]") || strings.Contains(f.Expr, "3600") {
				t.Errorf("%s isn't hastened: %s", f.Alert, f.Expr)
			}
		}
	}
	again, err := Default().AlertsFile()
	if err != nil || !bytes.Equal(shipped, again) {
		t.Errorf("the shipped rules were changed: %v", err)
	}
	if _, _, err := Hastened(0); err == nil {
		t.Error("0 is a speed")
	}
}
