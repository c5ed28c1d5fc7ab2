package callrecords

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	record1 = "e523d2ed-2966-4b6b-925b-754a88034cc5"
	record2 = "e523d2ed-2966-4b6b-925b-754a88034cc6"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

// fakeGraph answers requests in the order of its answers, without a network.
type fakeGraph struct {
	t       *testing.T
	answers []answer
	asked   []string // path and query
	headers []http.Header
}

type answer struct {
	status int
	body   string
}

func refuse(status int, code string) answer {
	return answer{status: status, body: `{"error":{"code":"` + code +
		`","message":"","innerError":{"date":"2026-11-20T06:00:00"}}}`}
}

// RoundTrip implements http.RoundTripper.
func (g *fakeGraph) RoundTrip(r *http.Request) (*http.Response, error) {
	g.asked, g.headers = append(g.asked, r.URL.String()), append(g.headers, r.Header)
	if len(g.answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := g.answers[0]
	g.answers = g.answers[1:]
	return providertest.Response(r, next.status, nil, next.body), nil
}

// records reads call records from the fake.
func (g *fakeGraph) records() *Records {
	g.t.Helper()
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: "https://graph.example", Transport: g,
		Quote: graph.Quote,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return &Records{
		client: client, innerPages: innerPages, sizes: recordSizes, largeOnes: make(chan struct{}, 1),
		mapper: mapper{countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(nil)},
		settle: 90 * time.Minute, now: time.Now,
	}
}

// openRecords opens the feed of a simulated tenant, by our own clock.
func openRecords(t *testing.T, server *sim.Server, settle time.Duration) *Records {
	t.Helper()
	source := collector.SourceSettings{Name: "contoso", Now: time.Now}
	config := new(Config)
	config.SetDefaults()
	config.Settle = settle
	tls := promconfig.TLSConfig{CA: string(server.CA())}
	transport, err := promconfig.NewRoundTripperFromConfig(promconfig.HTTPClientConfig{TLSConfig: tls}, "test")
	if err != nil {
		t.Fatal(err)
	}
	tokens := httpclient.NewTokens(func(context.Context) (httpclient.Token,
		error,
	) {
		return askForToken(transport, server)
	}, source.Now)
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: server.BaseURL(), Transport: transport, Token: tokens,
		Quote: graph.Quote, RequestsPerMinute: 60_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		(&http.Client{Transport: transport}).CloseIdleConnections()
	})
	source.EmergencyNumbers = []string{"911", "933", "112", "999"}
	records, err := New(config, sim.TenantID, &source, client)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func askForToken(transport http.RoundTripper, server *sim.Server) (httpclient.Token, error) {
	client := &http.Client{Transport: transport}
	//nolint:noctx // a test's own
	response, err := client.PostForm(server.BaseURL()+"/"+sim.TenantID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {sim.ClientID}, "client_secret": {server.ClientSecret},
		"scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		return httpclient.Token{}, err
	}
	defer response.Body.Close()
	var body struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Token == "" {
		return httpclient.Token{}, fmt.Errorf("the simulator gave no token: %d %w", response.StatusCode, err)
	}
	return httpclient.Token{Value: body.Token, Expires: server.Now().Add(time.Duration(body.Expires) * time.Second)},
		nil
}
