package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/providers"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// noActiveCalls implements collector.ActiveCalls.
func noActiveCalls(context.Context, bool) (map[cdr.Direction]int, error) { return nil, nil }

// TestCheckingFeeds: every feed is asked, of whatever kind it is and whatever became of
// those before, and none for longer than it may take.
func TestCheckingFeeds(t *testing.T) {
	probe := func(rows int, err error) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return rows, err }
	}
	hangs := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	forbidden := func(id string) error { return fmt.Errorf("forbidden, request %s", id) }
	for name, test := range map[string]struct {
		feeds []collector.FeedInfo
		table string
		notes string
		fails bool
	}{
		"a log and a snapshot": {
			[]collector.FeedInfo{
				{Name: "call_log", Probe: probe(5, nil)},
				{Name: "active_calls", ActiveCalls: noActiveCalls, Probe: probe(2, nil)},
			},
			"office  ringcentral  call_log      ok, 5 calls in the smallest page\n" +
				"office  ringcentral  active_calls  ok, 2 calls in progress\n", "", false,
		},
		"one error of two feeds": {
			[]collector.FeedInfo{
				{Name: "active_calls", ActiveCalls: noActiveCalls, Probe: probe(0, forbidden("1"))},
				{Name: "call_log", Probe: probe(0, forbidden("2"))},
			},
			"office  ringcentral  active_calls  failed, see below\noffice  ringcentral  call_log      failed, " +
				"see below\n",
			"\noffice: active_calls, call_log failed\n  forbidden, request 1\n  What to do: ask your administrator\n",
			true,
		},
		"one that hangs": {
			[]collector.FeedInfo{
				{Name: "active_calls", ActiveCalls: noActiveCalls, Probe: hangs},
				{Name: "call_log", Probe: probe(1, nil)},
			},
			"office  ringcentral  active_calls  failed, see below\noffice  ringcentral  call_log      ok, 1 " +
				"calls in the smallest page\n",
			"\noffice: active_calls failed\n  context deadline exceeded\n  What to do: ask your administrator\n", true,
		},
		"one that is throttled": {
			[]collector.FeedInfo{{
				Name:  "call_log",
				Probe: probe(0, fmt.Errorf("%w: %w", httpclient.ErrLimited, context.DeadlineExceeded)),
			}},
			"office  ringcentral  call_log  failed, see below\n",
			"\noffice: call_log failed\n  the provider's limit has no room before the deadline: context " +
				"deadline exceeded; the next request is allowed at 2000-01-01T00:10:00Z\n" +
				"  What to do: ask your administrator\n", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &collector.Source{
					Feeds: test.feeds, Advise: func(err error) (what, todo string) {
						return err.Error(),
							"ask your administrator"
					},
					ThrottledUntil: func() time.Time { return time.Now().Add(10 * time.Minute) },
				}
				var out bytes.Buffer
				k := &sourceCheck{
					timeout: time.Minute, providers: providers.All(),
					table: newTable(&out), notes: new(strings.Builder),
				}
				err := k.feeds(t.Context(), &config.Source{Name: "office", ProviderName: "ringcentral"}, source)
				if k.table.Flush() != nil || out.String() != test.table || k.notes.String() != test.notes ||
					(err != nil) != test.fails {
					t.Errorf("%v, printed:\n%s%s\nwant:\n%s%s", err, &out, k.notes, test.table, test.notes)
				}
			})
		})
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
	to := time.Now().Add(-24 * time.Hour)
	tenant, err := sim.Start(sim.Settings{CallRecords: sim.HistoricalCallRecords(7, to.Add(-time.Hour), to, 5)})
	require.NoError(t, err)
	t.Cleanup(tenant.Close)
	for path, want := range map[string]string{
		"/webhooks/contoso": `call_records +ok, the webhook answers at http://127`,
		"/webhooks/other": `call_records +the webhook doesn't answer[^~]*\n  it answers 404[^~]*` +
			`What to do: run the exporter with --webhook.listen-address`,
		"/signin": `\n  something other than the exporter's listener answers there\n`,
	} {
		folder := t.TempDir()
		file := filepath.Join(folder, "config.yaml")
		text := fmt.Sprintf("storage: {path: ledger}\nsources:\n  - name: contoso\n    tls_config: {ca_file: ca.pem}\n"+
			"    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: %[4]q, graph_url: %[4]q,\n"+
			"      call_records: {webhook: {public_url: %q}}}\n",
			sim.TenantID, sim.ClientID, tenant.ClientSecret, tenant.BaseURL(), listener.URL+path)
		if err := errors.Join(tenant.WriteCA(filepath.Join(folder, "ca.pem")),
			os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"check", "sources", "--config.file=" + file},
			streams{&out, &errs}); code != exitDone || !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: exit code %d: %s%s", path, code, &out, &errs)
		}
	}
}
