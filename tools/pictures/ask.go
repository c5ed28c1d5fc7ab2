package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/dashboards"
)

// step is the time between two points of a chart; a rate is of rateInterval.
const (
	step         = 4 * time.Second
	rateInterval = "40s"
)

// thisMonth is the only time of their own that panels have.
const thisMonth = "now/M"

// asker asks Prometheus as Grafana would at an instant.
type asker struct {
	base  string
	now   time.Time
	shown time.Duration
}

// expand fills in the variables of a panel's query as if all were chosen.
func (a *asker) expand(expr, own string) (string, error) {
	seconds := int(a.shown.Seconds())
	switch own {
	case "":
	case thisMonth:
		now := a.now.UTC()
		seconds = int(now.Sub(time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)).Seconds())
	default:
		return "", fmt.Errorf("the time %s isn't known", own)
	}
	return dashboards.Expand(expr, dashboards.Everything(rateInterval, seconds))
}

// instant asks for the values of an instant.
func (a *asker) instant(ctx context.Context, expr string) (model.Vector, error) {
	var found model.Vector
	err := a.ask(ctx, "query", url.Values{"query": {expr}, "time": {seconds(a.now)}}, &found)
	return found, err
}

// course asks for the values over the time shown.
func (a *asker) course(ctx context.Context, expr string) (model.Matrix, error) {
	var found model.Matrix
	err := a.ask(ctx, "query_range", url.Values{
		"query": {expr}, "start": {seconds(a.begin())}, "end": {seconds(a.now)}, "step": {strconv.Itoa(int(step.Seconds()))},
	}, &found)
	return found, err
}

// begin is when the time shown begins.
func (a *asker) begin() time.Time { return a.now.Add(-a.shown) }

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func (a *asker) ask(ctx context.Context, what string, values url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"api/v1/"+what, strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return err
	}
	var answer struct {
		Data  struct{ Result json.RawMessage }
		Error string
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error != "" {
		return fmt.Errorf("ask Prometheus: status %d: %s, %w", response.StatusCode, answer.Error, err)
	}
	if err := json.Unmarshal(answer.Data.Result, into); err != nil {
		return fmt.Errorf("ask Prometheus: %w", err)
	}
	return nil
}
