//go:build e2e

package deploy_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// project is what a test looks at of the compose files.
type project struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
		Ports       []struct {
			HostIP    string `json:"host_ip"`
			Published string
		}
		Volumes []struct{ Type, Source, Target string }
	}
}

// loadCompose loads compose files as Docker Compose does.
func loadCompose(t *testing.T, files ...string) (p project) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(run(t, tool(t, "compose-check"), files...)), &p))
	return p
}

// TestE2EComposeFiles: images are pinned, ours to the chart's version, ports are on loopback, what
// is mounted is there, and the account's configuration is right but for its secret.
func TestE2EComposeFiles(t *testing.T) {
	version := decode[struct {
		AppVersion string `yaml:"appVersion"`
	}](t, golden.Read(t, chart+"/Chart.yaml")).AppVersion
	if !strings.Contains(golden.Read(t, "../CHANGELOG.md"), "\n## "+version) {
		t.Errorf("CHANGELOG.md has no version %s, which the chart installs", version)
	}
	for name, files := range map[string][]string{
		"demo": {"compose/compose.yaml"}, "account": {"compose/compose.yaml", "compose/compose.account.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			for name, service := range loadCompose(t, files...).Services {
				if !regexp.MustCompile(`:v?\d+\.\d+\.\d+$`).MatchString(service.Image) {
					t.Errorf("%s: the image %s isn't pinned", name, service.Image)
				}
				if name == "cdr-exporter" && !strings.HasSuffix(service.Image, ":"+version) {
					t.Errorf("the image is %s, the chart's %s", service.Image, version)
				}
				for _, port := range service.Ports {
					if port.HostIP != "127.0.0.1" {
						t.Errorf("%s: port %s is published on %s", name, port.Published, port.HostIP)
					}
				}
				for _, volume := range service.Volumes {
					if _, err := os.Stat(volume.Source); volume.Type == "bind" && err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
		})
	}
	folder := t.TempDir()
	write(t, folder, "client-secret.txt", "x")
	run(t, exporter, "check", "config", write(t, folder, "config.yaml", golden.Read(t, "compose/account/config.yaml")))
}

// TestE2ECompose starts the programs of compose.yaml that can be had here with its commands, files and variables; only
// addresses and folders are others, and intervals shorter. In Loki's place is a server that says what arrives.
func TestE2ECompose(t *testing.T) {
	var lines atomic.Int64
	loki := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/otlp/v1/logs" {
			lines.Add(int64(bytes.Count(unzipped(t, r), []byte("log.record.uid"))))
		}
	}))
	t.Cleanup(loki.Close) // once the Collector has stopped, which may be sending
	s := newStack(t, map[string]string{
		"loki:3100": strings.TrimPrefix(loki.URL, "http://"), "cdr-exporter:9887": freeAddress(t),
		"prometheus:9090":   freeAddress(t),
		"alertmanager:9093": freeAddress(t), "otel-collector:4318": freeAddress(t),
	})

	run(t, tool(t, "promtool"), "check", "config", s.local("prometheus", "/etc/prometheus/prometheus.yml"))
	run(t, "amtool", "check-config", s.local("alertmanager", "/etc/alertmanager/alertmanager.yaml"))
	run(t, tool(t, "otelcol"), "validate", "--config", s.local("otel-collector", "/etc/otel-collector.yaml"))

	s.start("otel-collector", tool(t, "otelcol"))
	s.start("alertmanager", "prometheus-alertmanager", "--web.listen-address="+s.addresses["alertmanager:9093"])
	s.start("cdr-exporter", exporter, "--web.listen-address="+s.addresses["cdr-exporter:9887"])
	s.start("prometheus", tool(t, "prometheus"), "--web.listen-address="+s.addresses["prometheus:9090"])

	prometheus := "http://" + s.addresses["prometheus:9090"] + "/api/v1/"
	require.Eventually(t, "Prometheus scrapes all three jobs", func() bool {
		return strings.Contains(body(t, prometheus+"query?query="+url.QueryEscape("count(up == 1)")), `,"3"]`)
	})
	require.Eventually(t, "Prometheus has calls", func() bool {
		return strings.Contains(body(t, prometheus+"query?query="+url.QueryEscape("sum(cdr_calls_total) > bool 100")),
			`,"1"]`)
	})
	require.Eventually(t, "Prometheus has evaluated rules of both files", func() bool {
		return strings.Contains(body(t, prometheus+"query?query="+url.QueryEscape(`count({__name__=~".+:cdr_.+:.+"})`)),
			`"value"`) &&
			strings.Contains(body(t, prometheus+"rules?type=alert"), `"name":"CDRExporterDown"`)
	})
	require.Eventually(t, "Prometheus knows Alertmanager", func() bool {
		return strings.Contains(body(t, prometheus+"alertmanagers"), s.addresses["alertmanager:9093"])
	})
	require.Eventually(t, "log records of calls get through the Collector", func() bool { return lines.Load() > 100 })
}

// TestE2EComposeGrafana: what Grafana is provisioned with exists: services behind the data sources,
// a folder of dashboards.
func TestE2EComposeGrafana(t *testing.T) {
	p := loadCompose(t, "compose/compose.yaml")
	sources := decode[struct{ Datasources []struct{ URL string } }](t,
		golden.Read(t, "compose/grafana/datasources.yaml"))
	for _, source := range sources.Datasources {
		address, err := url.Parse(source.URL)
		require.NoError(t, err)
		if _, ok := p.Services[address.Hostname()]; !ok {
			t.Errorf("%s: there is no such service", source.URL)
		}
	}
	providers := decode[struct {
		Providers []struct{ Options struct{ Path string } }
	}](t, golden.Read(t, "compose/grafana/dashboards.yaml"))
	folder := providers.Providers[0].Options.Path
	var found []string
	for _, volume := range p.Services["grafana"].Volumes {
		if volume.Target == folder {
			found, _ = filepath.Glob(volume.Source + "/*.json")
		}
	}
	home := p.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	if !slices.ContainsFunc(found, func(file string) bool {
		return home == folder+"/"+filepath.Base(file)
	}) {
		t.Errorf("the home dashboard %s isn't among %q", home, found)
	}
}

// stack runs services of compose.yaml as processes.
type stack struct {
	t         *testing.T
	project   project
	addresses map[string]string            // by service:port
	paths     map[string]map[string]string // by service: what takes the place of its mounts
}

func newStack(t *testing.T, addresses map[string]string) *stack {
	t.Helper()
	s := &stack{
		t: t, project: loadCompose(t, "compose/compose.yaml"), addresses: addresses,
		paths: make(map[string]map[string]string),
	}
	for name, service := range s.project.Services {
		s.paths[name] = make(map[string]string)
		for _, volume := range service.Volumes {
			info, err := os.Stat(volume.Source)
			switch {
			case volume.Type != "bind":
				s.paths[name][volume.Target] = t.TempDir()
			case err != nil:
				t.Fatal(err)
			case info.IsDir():
				s.paths[name][volume.Target] = volume.Source
			}
		}
		for _, volume := range service.Volumes {
			if _, done := s.paths[name][volume.Target]; !done {
				s.paths[name][volume.Target] = write(t, t.TempDir(), filepath.Base(volume.Source),
					s.rewrite(name, golden.Read(t, volume.Source)))
			}
		}
	}
	return s
}

// rewrite replaces a service's addresses and paths by the ones of this machine.
func (s *stack) rewrite(service, text string) string {
	for inside, here := range s.addresses {
		_, port, _ := strings.Cut(inside, ":")
		text = strings.NewReplacer(inside, here, "localhost:"+port, here, "0.0.0.0:"+port, here).Replace(text)
	}
	return s.local(service, strings.ReplaceAll(text, "_interval: 15s", "_interval: 1s"))
}

// local replaces the targets of a service's mounts in a text: /alertmanager, but not in /etc/alertmanager.
func (s *stack) local(service, text string) string {
	for target, path := range s.paths[service] {
		text = regexp.MustCompile(`(^|[^a-z0-9])`+regexp.QuoteMeta(target)).ReplaceAllString(text, "${1}"+path)
	}
	return text
}

// start starts a service's command as a program's arguments.
func (s *stack) start(service, program string, more ...string) {
	s.t.Helper()
	var environment []string
	for name, value := range s.project.Services[service].Environment {
		environment = append(environment, name+"="+s.rewrite(service, value))
	}
	var args []string
	for _, arg := range s.project.Services[service].Command {
		args = append(args, s.rewrite(service, arg))
	}
	start(s.t, s.t.TempDir(), environment, program, append(args, more...)...)
}

// body is the answer to a GET, empty without one.
func body(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// unzipped is the body of a request.
func unzipped(t *testing.T, r *http.Request) []byte {
	t.Helper()
	content := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if content, err = gzip.NewReader(r.Body); err != nil {
			t.Error(err)
			return nil
		}
	}
	text, err := io.ReadAll(content)
	if err != nil {
		t.Error(err)
	}
	return text
}
