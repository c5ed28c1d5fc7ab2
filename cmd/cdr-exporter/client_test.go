package main_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// client asks a metrics port. Everything that it gets is searched for secrets.
type client struct {
	// tls, user and password are for ports that require them; path is the path of the metrics,
	// /metrics if empty.
	tls            *tls.Config
	user, password string
	path           string

	x    *exporter
	base string
	http *http.Client
}

// attach points the client at an address of a process.
func (c *client) attach(x *exporter, address string) {
	c.x, c.base = x, "http://"+address
	if c.tls != nil {
		c.base = "https://" + address
	}
	c.http = &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{TLSClientConfig: c.tls, DisableCompression: true},
	}
}

func (c *client) close() {
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do asks, whatever the status.
func (c *client) do(method, path string, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, c.base+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(request.Header, header)
	if c.user != "" {
		request.SetBasicAuth(c.user, c.password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	if response.Header.Get("Content-Encoding") == "" {
		c.x.vault.search(path, body)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// get asks for something that must be there.
func (c *client) get(path string) ([]byte, error) {
	a, err := c.do(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %s", path, a.status, bytes.TrimSpace(a.body))
	}
	return a.body, nil
}

// scrape reads the metrics as text.
func (x *exporter) scrape() families {
	x.t.Helper()
	body, err := x.client.get(cmp.Or(x.client.path, "/metrics"))
	if err != nil {
		x.running()
		x.t.Fatalf("scrape: %v", err)
	}
	return x.parse(body)
}

// parse reads the text format.
func (x *exporter) parse(body []byte) families {
	x.t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		x.t.Fatalf("parse metrics: %v", err)
	}
	return all
}

// status is what tests read of /api/v1/status.
type status struct {
	Version string
	Sources []struct {
		Name, Provider string
		Feeds          []feedStatus
	}
	OTLP struct {
		LastError     string `json:"last_error"`
		OutboxRecords int64  `json:"outbox_records"`
		Oldest        string
		State         string
	}
	Verdict struct {
		Level    string
		Findings []finding
	}
}

type finding struct{ Subject, What, Remedy string }

type feedStatus struct {
	Feed, State string
	Watermark   *time.Time
	LastSuccess *time.Time `json:"last_success"`
	NextRead    *time.Time `json:"next_read"`
	Records     int64
	LastError   string `json:"last_error"`
	Unreadable  []string
	DailyTotals []struct {
		Day   string
		Audit *struct{ Missing int }
	} `json:"daily_totals"`
}

// status asks for the state as JSON.
func (x *exporter) status() status {
	x.t.Helper()
	body, err := x.client.get("/api/v1/status")
	if err != nil {
		x.running()
		x.t.Fatalf("ask for the status: %v", err)
	}
	var s status
	if err := json.Unmarshal(body, &s); err != nil {
		x.t.Fatalf("parse the status: %v\n%s", err, body)
	}
	return s
}

// feed is the status of one feed.
func (x *exporter) feed(source, feed string) feedStatus {
	x.t.Helper()
	for _, s := range x.status().Sources {
		for _, f := range s.Feeds {
			if s.Name == source && f.Feed == feed {
				return f
			}
		}
	}
	x.t.Fatalf("the status knows no feed %s of source %s", feed, source)
	return feedStatus{}
}

// fails waits until the status shows that a feed fails, with a text.
func (x *exporter) fails(source, feed, text string) {
	x.t.Helper()
	eventually(x.t, "show that "+source+"/"+feed+" fails", func() error {
		if f := x.feed(source, feed); f.State != "error" || !strings.Contains(f.LastError, text) {
			return fmt.Errorf("state %q, last error %q", f.State, f.LastError)
		}
		return nil
	})
}
