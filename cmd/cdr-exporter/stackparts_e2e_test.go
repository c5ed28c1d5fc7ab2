//go:build e2e

package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// notice is an alert as Alertmanager tells a receiver of it.
type notice struct {
	receiver string // the last part of its address
	Status   string
	Labels   map[string]string
}

// pager takes what Alertmanager tells. It is safe for concurrent use.
type pager struct {
	*httptest.Server

	mu  sync.Mutex
	got []notice // guarded by mu
}

func newPager(t *testing.T) *pager {
	p := &pager{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Alerts []notice }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, n := range request.Alerts {
			n.receiver = strings.TrimPrefix(r.URL.Path, "/")
			p.got = append(p.got, n)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// notified says whether a receiver was told that an alert is in a state last.
func (p *pager) notified(receiver, status, name string, labels map[string]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := ""
	for _, n := range p.got {
		if n.receiver == receiver && isAlert(n.Labels, name, labels) {
			last = n.Status
		}
	}
	if last != status {
		return fmt.Errorf("%s was told last that %s%v is %q, want %q", receiver, name, labels, last, status)
	}
	return nil
}

// alertmanagerProgram is the file of Alertmanager: Debian gives it a longer name.
func alertmanagerProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"prometheus-alertmanager", "alertmanager"} {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	t.Fatal("Alertmanager is missing: apt-get install prometheus-alertmanager")
	return ""
}

// startAlertmanager starts one with the shipped example, as fast as the rules, whose
// receivers are the pager's.
func startAlertmanager(t *testing.T, to *pager, speed int) parts.API {
	t.Helper()
	address := free(t)
	args, err := parts.WriteAlertmanager(t.TempDir(), address, to.URL, speed)
	require.NoError(t, err)
	p := startProgram(t, "Alertmanager", alertmanagerProgram(t), args...)
	api := parts.API{Base: "http://" + address}
	eventually(t, "start Alertmanager", func() error {
		p.running()
		return api.Ready(t.Context())
	})
	return api
}

// watching is a Prometheus that evaluates rules, and can be started again.
type watching struct {
	*prometheus

	args []string
}

func newWatching(t *testing.T, p parts.Prometheus) *watching {
	t.Helper()
	p.Folder, p.Address = t.TempDir(), free(t)
	args, err := p.Write()
	require.NoError(t, err)
	w := &watching{&prometheus{API: parts.API{Base: "http://" + p.Address}}, args}
	w.start(t)
	return w
}

// start starts it, also after a stop, with the data that it has kept.
func (w *watching) start(t *testing.T) {
	t.Helper()
	w.part = startPart(t, "prometheus", w.args...)
	w.awaitReady()
}

// healthy waits until every rule was evaluated, and fails for one that can't be.
func (w *watching) healthy() {
	w.t.Helper()
	eventually(w.t, "evaluate every rule", func() error {
		w.running()
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, Health, LastError string }
				}
			}
		}
		err := w.Read(w.t.Context(), "/api/v1/rules", &answer)
		if err == nil && len(answer.Data.Groups) == 0 {
			w.t.Fatal("Prometheus has no rules")
		}
		for _, group := range answer.Data.Groups {
			for _, r := range group.Rules {
				if r.LastError != "" {
					w.t.Fatalf("the rule %s can't be evaluated: %s", r.Name, r.LastError)
				}
				if r.Health != "ok" {
					return fmt.Errorf("%s is %s", r.Name, r.Health)
				}
			}
		}
		return err
	})
}

// state is the state of an alert in a list, or empty.
func state(all []parts.Alert, name string, labels map[string]string) string {
	for i := range all {
		if isAlert(all[i].Labels, name, labels) {
			return all[i].State
		}
	}
	return ""
}

// isAlert says whether an alert has a name and these labels.
func isAlert(has map[string]string, name string, labels map[string]string) bool {
	for label, value := range labels {
		if has[label] != value {
			return false
		}
	}
	return has["alertname"] == name
}

// part is a process of another project's binary, from the folder that CDR_TOOLS_BIN
// names; `make tools` builds them.
type part struct {
	*program.Process

	t testing.TB
}

// tool is the name of a binary in CDR_TOOLS_BIN.
func tool(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), name)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must name a folder with %s: run `make e2e`: %v", name, err)
	}
	return file
}

// startPart starts a binary. The test stops it.
func startPart(t testing.TB, name string, args ...string) *part {
	t.Helper()
	return startProgram(t, name, tool(t, name), args...)
}

// startProgram is startPart for a file that is elsewhere.
func startProgram(t testing.TB, name, file string, args ...string) *part {
	t.Helper()
	process, err := program.Start(t.TempDir(), name,
		program.Command(context.WithoutCancel(t.Context()), file, args...))
	require.NoError(t, err)
	p := &part{process, t}
	t.Cleanup(func() {
		if p.stop(); t.Failed() {
			t.Log(p.Problem("was stopped"))
		}
	})
	return p
}

// stop ends the process as a service manager does, if it hasn't ended.
func (p *part) stop() {
	p.t.Helper()
	if p.Ended() != nil {
		return
	}
	if err := p.Stop(); err != nil {
		p.t.Error(err)
	}
}

// running fails if the process has ended.
func (p *part) running() {
	p.t.Helper()
	require.NoError(p.t, p.Ended())
}
