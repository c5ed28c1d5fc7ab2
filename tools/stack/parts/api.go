package parts

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/model"
)

// API is a client of Prometheus or Alertmanager on this machine.
type API struct {
	// Base is the address, such as http://127.0.0.1:9090.
	Base string
}

// client keeps no connections: its user soon ends, or calls another server.
var client = http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}

// Ready returns why it isn't ready.
func (a API) Ready(ctx context.Context) error {
	_, err := a.get(ctx, "/-/ready")
	return err
}

func (a API) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, response.StatusCode, body)
	}
	return body, err
}

// Read reads the JSON of an answer into a value.
func (a API) Read(ctx context.Context, path string, into any) error {
	body, err := a.get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Query returns an expression's value in Prometheus now.
func (a API) Query(ctx context.Context, expression string) (model.Vector, error) {
	var answer struct{ Data struct{ Result model.Vector } }
	err := a.Read(ctx, "/api/v1/query?query="+url.QueryEscape(expression), &answer)
	return answer.Data.Result, err
}

// Alert is an alert that isn't resolved.
type Alert struct {
	Labels, Annotations map[string]string
	// State is pending or firing at Prometheus, active or suppressed at Alertmanager.
	State string
	// Since is when its condition became true.
	Since time.Time `json:"activeAt"`
}

// Alerts are the alerts in Prometheus.
func (a API) Alerts(ctx context.Context) ([]Alert, error) {
	var answer struct{ Data struct{ Alerts []Alert } }
	err := a.Read(ctx, "/api/v1/alerts", &answer)
	return answer.Data.Alerts, err
}

// Received are the alerts that Alertmanager has.
func (a API) Received(ctx context.Context) ([]Alert, error) {
	var answer []struct {
		Labels, Annotations map[string]string
		Status              struct{ State string }
		StartsAt            time.Time
	}
	if err := a.Read(ctx, "/api/v2/alerts", &answer); err != nil {
		return nil, err
	}
	var all []Alert
	for _, x := range answer {
		all = append(all, Alert{x.Labels, x.Annotations, x.Status.State, x.StartsAt})
	}
	return all, nil
}
