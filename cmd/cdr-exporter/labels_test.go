package main_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// company is an Asterisk whose callers belong to departments by a file.
type company struct {
	*site
	sits  map[string]string  // who is where, as the file says
	calls map[string]float64 // by department, as they were when they were written
}

// seat writes the file of departments.
func (c *company) seat(all map[string]string) {
	c.sits = all
	text := "name,extension,department\n"
	for extension, department := range all {
		text += fmt.Sprintf("\"Doe, %s\",%s,%s\n", extension, extension, department)
	}
	c.write("people.csv", text)
}

// call appends calls of extensions 100 to 103 in turn, of which 103 is in no file, in both directions.
func (c *company) call(n int) {
	c.t.Helper()
	text := ""
	for i := range n {
		own := fmt.Sprint(100 + i%4)
		src, dst, from, to := own, "4930123456", "PJSIP/"+own+"-00000001", "PJSIP/carrier-00000002"
		if i%8 < 4 {
			src, dst, from, to = dst, src, to, from
		}
		text += fmt.Sprintf(`"",%q,%q,"x","",%q,%q,"Dial","",%q,%[5]q,%[5]q,%d,60,"ANSWERED","DOCUMENTATION"`+"\n", src,
			dst, from, to, time.Now().UTC().Format(time.DateTime), 60+i)
		c.calls[c.sits[own]]++
	}
	f, err := os.OpenFile(c.path("Master.csv"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	require.NoError(c.t, errors.Join(err, f.Close()))
}

func (c *company) counted(x *exporter) {
	c.t.Helper()
	eventually(c.t, "count the calls of each department", func() error {
		var errs []error
		for department, want := range c.calls {
			if got := x.scrape().sum("cdr_calls_total", "department="+department); got != want {
				errs = append(errs, fmt.Errorf("%g calls are of %q, want %g", got, department, want))
			}
		}
		return errors.Join(errs...)
	})
}

// TestLabels: calls carry the department of our party, from a file that changes while it is used
// and turns bad. Each call has the department that the file gave when it was counted, across kills
// and reloads, and no extension becomes a label.
func TestLabels(t *testing.T) {
	t.Parallel()
	c := &company{site: newSite(t), calls: make(map[string]float64)}
	sink := newReceiver(t, c.vault, otlpsink.Settings{})
	const sources = "sources:\n  - name: pbx\n    asterisk: {paths: [Master.csv], time_zone: UTC, trunks: " +
		"[PJSIP/carrier], cdr: {interval: 1s}}\n"
	const labels = "labels: [{name: department, file: people.csv, key: user, column: extension}]\n"
	head := "storage: {path: ledger}\nmetrics: {zero_for: 0s}\notlp: " + sink.overHTTP("") + "\n"
	c.write("config.yaml", head+labels+sources)
	c.seat(map[string]string{"100": "Sales", "101": "Support", "102": "Sales"})
	c.call(500)
	launched := launch{config: c.path("config.yaml")}
	x := start(t, c.vault, launched).ready()
	c.counted(x)
	c.seat(map[string]string{"100": "Legal", "101": "Support", "102": "Sales"})
	x.loggedTimes(1, "Reloaded the files of labels")
	c.call(300)
	c.counted(x)
	x.kill()
	c.call(200)
	x = start(t, c.vault, launched).ready()
	c.counted(x)

	c.write("people.csv", "extension,department\n100,Legal\n100,Sales\n")
	eventually(t, "say that the file is bad", func() error {
		status, err := x.client.do(http.MethodGet, "/", nil)
		if err == nil && !strings.Contains(string(status.body),
			"people.csv:3: has the key of line 2 with another value") {
			err = errors.New("the status page says nothing")
		}
		return errors.Join(err, x.scrape().is(0, "cdr_exporter_config_last_reload_successful"))
	})
	c.call(100)
	c.counted(x)
	c.seat(maps.Clone(c.sits))
	x.loggedTimes(1, "Reloaded the files of labels")
	x.lastReload(1)

	// Without the label its series stay as they are, and new calls have none.
	c.write("config.yaml", head+sources)
	x.signal(syscall.SIGHUP)
	x.logged("Reloaded the configuration")
	c.sits = nil
	c.call(100)
	c.counted(x)
	c.logged(sink)
	for _, m := range x.scrape() {
		for _, series := range m.GetMetric() {
			for _, l := range series.GetLabel() {
				if l.GetValue() == "100" || strings.Contains(l.GetValue(), "Doe") {
					t.Errorf("%s has the label %s=%s", m.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
	x.stop()
}

// logged waits until the log records say the same.
func (c *company) logged(sink *receiver) {
	c.t.Helper()
	eventually(c.t, "deliver the departments", func() error {
		got := make(map[string]float64)
		for _, r := range sink.Logs() {
			department, _ := r.Attributes["cdr.label.department"].(string)
			got[department]++
		}
		if !maps.Equal(got, c.calls) {
			return fmt.Errorf("log records are of %v, want %v", got, c.calls)
		}
		return nil
	})
}
