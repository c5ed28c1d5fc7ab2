package parts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// API is a client of Prometheus or Alertmanager on this machine.
type API struct {
	// Base is the address, such as http://127.0.0.1:9090.
	Base string
}

// Ready returns why it isn't ready.
func (a API) Ready(ctx context.Context) error {
	_, err := program.Get(ctx, a.Base+"/-/ready")
	return err
}

// Read reads the JSON of an answer into a value.
func (a API) Read(ctx context.Context, path string, into any) error {
	body, err := program.Get(ctx, a.Base+path)
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
