package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// commandLine runs commands against a simulated tenant with call records.
type commandLine struct {
	t       *testing.T
	tenant  *sim.Server
	records *sim.CallRecords
	file    string
}

func newCommandLine(t *testing.T, calls int) *commandLine {
	t.Helper()
	to := time.Now().Add(-24 * time.Hour)
	records := sim.HistoricalCallRecords(7, to.Add(-time.Hour), to, calls)
	tenant, err := sim.Start(sim.Settings{CallRecords: records})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	folder := t.TempDir()
	if err := tenant.WriteCA(filepath.Join(folder, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("storage: {path: ledger}\nsources:\n  - name: contoso\n    tls_config: {ca_file: "+
		"ca.pem}\n    requests_per_minute: 60000\n"+
		"    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: %q, graph_url: %q, "+
		"call_records: }\n",
		sim.TenantID, sim.ClientID, tenant.ClientSecret, tenant.BaseURL(), tenant.BaseURL())
	c := &commandLine{t: t, tenant: tenant, records: records, file: filepath.Join(folder, "config.yaml")}
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs a command and expects its exit code.
func (c *commandLine) run(want int, command string, args ...string) (out, errs string) {
	c.t.Helper()
	var o, e bytes.Buffer
	all := append(strings.Fields(command), "--config.file="+c.file)
	all = append(all, args...)
	if code := run(c.t.Context(), all, streams{&o, &e}); code != want {
		c.t.Fatalf("%s: exit code %d, want %d: %s", command, code, want, e.String())
	}
	return o.String(), e.String()
}

// node is a part of a call as JSON.
type node struct {
	Label    string         `json:"label"`
	Fields   map[string]any `json:"fields"`
	Children []node         `json:"children"`
}

// count counts what a call has: verdicts of its streams, results of its sessions.
func (n *node) count(all map[string]int) {
	switch n.Label {
	case "stream":
		all[fmt.Sprint("stream ", n.Fields["verdict"])]++
	case "session":
		all[fmt.Sprint("session ", n.Fields["result"])]++
	case "call":
		all[fmt.Sprintf("%s call %s", n.Fields["type"], n.Fields["outcome"])]++
	}
	for i := range n.Children {
		n.Children[i].count(all)
	}
}

// TestLookedUpCalls: looked-up calls of a tenant have the tenant's data, as JSON and as a tree.
func TestLookedUpCalls(t *testing.T) {
	t.Parallel()
	const calls = 25
	c := newCommandLine(t, calls)
	want, got := make(map[string]int), make(map[string]int)
	totals := c.records.Totals(simulator.View{At: []time.Time{time.Now()}, Settle: time.Hour})
	for metric, text := range map[string]string{ // %N$s is the label N
		"cdr_media_streams_total": "stream %[5]s", "cdr_sessions_total": "session %[1]s",
		"cdr_calls_total": "%[2]s call %[3]s",
	} {
		for key, n := range totals.Metrics[metric] {
			var labels []any
			for label := range strings.SplitSeq(key, "|") {
				labels = append(labels, label)
			}
			want[fmt.Sprintf(text+"%.0[1]s", labels...)] += int(n / 1_000_000)
		}
	}
	out, _ := c.run(exitDone, "records", "--source=contoso", "--feed=call_records", "--from=48h", "--output=csv")
	lines, ids := 0, regexp.MustCompile(`(?m)^[^,]*,([0-9a-f-]{36}),`).FindAllStringSubmatch(out, -1)
	for _, id := range ids {
		text, _ := c.run(exitDone, "call", "--source=contoso", "--output=json", id[1])
		var call node
		if err := json.Unmarshal([]byte(text), &call); err != nil {
			t.Fatalf("no JSON: %v\n%s", err, text)
		}
		call.count(got)
		tree, _ := c.run(exitDone, "call", "--source=contoso", strings.ToUpper(id[1]))
		lines += len(regexp.MustCompile(`(?m)^[ │├└─]*stream\b`).FindAllString(tree, -1))
	}
	if len(ids) != calls || !maps.Equal(got, want) {
		t.Errorf("%d calls have %v, want %v", len(ids), got, want)
	}
	if n := want["stream good"] + want["stream poor"] + want["stream unclassified"]; lines != n || n == 0 {
		t.Errorf("the trees have %d streams, want %d", lines, n)
	}
}

// The check reads the list, and says what to do where it may not.
func TestCheckSourcesWithCallRecords(t *testing.T) {
	t.Parallel()
	c := newCommandLine(t, 5)
	if out, errs := c.run(exitDone, "check sources"); !regexp.MustCompile(`contoso +msgraph +call_records +ok`).
		MatchString(out) {
		t.Errorf("said %s%s", out, errs)
	}
	c.tenant.Register(func(a *sim.Application) { a.Roles = nil })
	if out, _ := c.run(exitFailed, "check sources"); !strings.Contains(out, "CallRecords.Read.All") {
		t.Errorf("said %s", out)
	}
}

// The address of notifications is tried from here; that nothing answers fails no feed.
func TestCheckSourcesWithAWebhook(t *testing.T) {
	t.Parallel()
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/webhooks/contoso":
			_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
		case "/signin":
			_, _ = io.WriteString(w, "<html>")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(listener.Close)
	for path, want := range map[string]string{
		"/webhooks/contoso": `call_records +ok, the webhook answers at http://127`,
		"/webhooks/other": `call_records +the webhook doesn't answer[^~]*\n  it answers 404[^~]*` +
			`What to do: run the exporter with --webhook.listen-address`,
		"/signin": `\n  something other than the exporter's listener answers there\n`,
	} {
		t.Run(path, func(t *testing.T) {
			c := newCommandLine(t, 5)
			text, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), "call_records: }",
				fmt.Sprintf("call_records: {webhook: {public_url: %q}}}", listener.URL+path), 1)
			if err := os.WriteFile(c.file, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, _ := c.run(exitDone, "check sources"); !regexp.MustCompile(want).MatchString(out) {
				t.Errorf("said %s", out)
			}
		})
	}
}
