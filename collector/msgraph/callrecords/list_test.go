package callrecords

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestListCallRecords(t *testing.T) {
	row := func(id, version string) string {
		return `{"id":` + id + `,"version":` + version + `,"type":"unknown","startDateTime":"2026-11-01T10:00:00Z"}`
	}
	good := row(`"`+strings.ToUpper(record1)+`"`, "3")
	const next = `"https://graph.example/v1.0/communications/callRecords?$filter=x&$skiptoken=a"`
	for _, c := range []struct {
		name    string
		answers []answer
		tasks   string
		invalid []string
		problem string
	}{
		{"one", []answer{{Body: `{"value":[` + good + `]}`}}, "record " + record1 + " 3", nil, ""},
		{"empty", []answer{{Body: `{"value":[]}`}}, "", nil, ""},
		{"pages", []answer{
			{Body: `{"value":[` + good + `],"@odata.NextLink":` + next + `}`},
			{Body: `{"value":[],"@odata.nextLink":` + strings.Replace(next, "=a", "=b", 1) + `}`},
			{Body: `{"value":[` + row(`"`+record2+`"`, "null") + `]}`},
		}, "record " + record1 + " 3, record " + record2 + " 0", nil, ""},
		{"bad rows", []answer{{Body: `{"value":[5,` + row(`"x"`, "1") + `,` + row(`7`, "1") + `,` + good + `,` +
			row(`"`+record2+`"`, `"2"`) + `,{},null]}`}}, "record " + record1 + " 3", []string{
			"page 1, row 1: the value has the wrong type: number",
			"page 1, row 2: the id is missing or isn't a GUID", "page 1, row 3: id has the wrong type: number",
			"page 1, row 5: version has the wrong type: string",
			"page 1, row 6: the id is missing or isn't a GUID", "page 1, row 7: the id is missing or isn't a GUID",
		}, ""},
		{"a link that has expired", []answer{
			{Body: `{"value":[],"@odata.nextLink":` + next + `}`},
			providertest.Refuse(http.StatusBadRequest, "BadRequest"),
		}, "", nil, httpclient.ErrLinkExpired.Error()},
		{"refused", []answer{providertest.Refuse(http.StatusNotFound, "NotFound")}, "", nil, "read page 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &providertest.Script{Answers: c.answers}
			l := recordsOf(t, g)
			var tasks, invalid []string
			err := providertest.Read(t.Context(), l, from, to, func(b *collector.Page) error {
				for _, w := range b.Enqueue {
					tasks = append(tasks, fmt.Sprint(w.Kind, " ", w.Key, " ", w.Version))
					if !w.Due.IsZero() || w.Attempts != 0 {
						t.Errorf("the work is %+v", w)
					}
				}
				for _, bad := range b.Invalid {
					invalid = append(invalid, bad.At+": "+bad.Problem)
				}
				if len(b.Records) > 0 {
					t.Errorf("the page is %+v", b)
				}
				return nil
			})
			if c.problem == "" && err != nil || c.problem != "" &&
				(err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Fatalf("the error is %v, want %q", err, c.problem)
			}
			if strings.Join(tasks, ", ") != c.tasks || !slices.Equal(invalid, c.invalid) {
				t.Errorf("tasks %q, invalid %q", tasks, invalid)
			}
		})
	}
	stop := errors.New("stop")
	g := &providertest.Script{Answers: []answer{{Body: `{"value":[` + good + `],"@odata.nextLink":` + next + `}`}}}
	if err := providertest.Read(t.Context(), recordsOf(t, g), from, to,
		func(*collector.Page) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error is %v", err)
	}
}

// counting.md 10 and 17: whether a call has settled is a matter of Graph's clock, though
// ours is hours behind it.
func TestRule10_CallsSettleByGraphsClock(t *testing.T) {
	now := time.Now()
	records := sim.HistoricalCallRecords(9, now.Add(time.Hour), now.Add(2*time.Hour), 20)
	server, err := sim.Start(sim.Settings{CallRecords: records, At: now.Add(30 * time.Hour)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: server.BaseURL(), Transport: server.Trusted(), RequestsPerMinute: 60_000,
	})
	require.NoError(t, err)
	config := new(Config)
	config.SetDefaults()
	config.Settle = 90 * time.Minute
	source, err := New(config, sim.TenantID, &collector.SourceSettings{Name: "contoso", Now: time.Now}, client)
	require.NoError(t, err)
	feed := source.Info
	fetched := 0
	err = providertest.Read(t.Context(), feed.Reader, now, now.Add(3*time.Hour), func(listed *collector.Page) error {
		for i := range listed.Enqueue {
			b, err := feed.Fetcher.Fetch(t.Context(), listed.Enqueue[i:i+1])
			if err != nil {
				return err
			}
			fetched++
			if !b.Records[0].Settled || len(b.Enqueue) > 0 {
				t.Errorf("%s hasn't settled; it is looked at again %v", b.Records[0].ID, b.Enqueue)
			}
		}
		return nil
	})
	if err != nil || fetched != 20 {
		t.Errorf("%d records were fetched, %v", fetched, err)
	}
}
