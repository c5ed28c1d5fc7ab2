package parts

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// answers are what Prometheus and Alertmanager say.
var answers = map[string]string{
	"/-/ready":      "ok",
	"/api/v1/query": `{"data":{"result":[{"metric":{"feed":"pstn"},"value":[1.5,"42"]}]}}`,
	"/api/v1/alerts": `{"data":{"alerts":[{"labels":{"alertname":"A","trunk":"t"},"annotations":{"summary":"s"},
		"state":"pending","activeAt":"2026-01-02T03:04:05Z"}]}}`,
	"/api/v2/alerts": `[{"labels":{"alertname":"A"},"status":{"state":"suppressed"},
		"startsAt":"2026-01-02T03:04:05Z"}]`,
	"/api/v1/unknown": ``,
}

func TestAPI(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := answers[r.URL.Path]
		if text == "" {
			http.Error(w, "no such thing", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	api, ctx := API{server.URL}, t.Context()
	samples, err := api.Query(ctx, "up == 1")
	if err != nil || samples.String() != `{feed="pstn"} => 42 @[1.5]` {
		t.Errorf("samples %v, %v", samples, err)
	}
	alerts, err := api.Alerts(ctx)
	if err != nil || len(alerts) != 1 || alerts[0].State != "pending" || alerts[0].Since.Second() != 5 ||
		alerts[0].Annotations["summary"] != "s" {
		t.Errorf("alerts %v, %v", alerts, err)
	}
	received, err := api.Received(ctx)
	if err != nil || len(received) != 1 || received[0].State != "suppressed" {
		t.Errorf("received %v, %v", received, err)
	}
	if err := api.Ready(ctx); err != nil {
		t.Error(err)
	}
	if _, err := (API{server.URL + "/x"}).Alerts(ctx); err == nil {
		t.Error("a 404 must be an error")
	}
}
