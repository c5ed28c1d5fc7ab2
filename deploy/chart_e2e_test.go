//go:build e2e

// Package deploy_test holds the chart, the plain manifests and the compose file against the programs that read them.
package deploy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const chart = "helm/cdr-exporter"

// object is a manifest.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     yaml.Node
}

// pod is what a test looks at of the pods of a StatefulSet or Deployment.
type pod struct {
	Template struct {
		Spec struct {
			ServiceAccountName string `yaml:"serviceAccountName"`
			Containers         []struct {
				Args           []string
				LivenessProbe  probe `yaml:"livenessProbe"`
				ReadinessProbe probe `yaml:"readinessProbe"`
			}
		}
	}
}

type probe struct {
	HTTPGet   *struct{ Path, Scheme string } `yaml:"httpGet"`
	TCPSocket *struct{ Port string }         `yaml:"tcpSocket"`
}

// TestE2EChart lints and renders the chart with several values, holds every manifest against the
// schema of its kind, and gives what is rendered to whom it is for: the configuration to `check
// config`, rules to promtool, arguments to the program.
func TestE2EChart(t *testing.T) {
	schemas := apiSchemas(t)
	for _, test := range []struct {
		values string
		// Files are the secrets' keys that the configuration names.
		files map[string]string
		kinds map[string]int
		// Probes are TCP, or the scheme of HTTP probes.
		probes string
	}{
		{"kubernetes/values.yaml", map[string]string{"client-secret": "x"}, map[string]int{"NetworkPolicy": 1}, "HTTP"},
		{
			"testdata/everything.yaml",
			map[string]string{
				"ringcentral-secret": "x", "ringcentral-jwt": "x", "wavix-key": "x", "otlp-authorization": "x",
				"people.csv": "user,department\n101,Sales\n",
				"web-config.yaml": "basic_auth_users: {prometheus: " +
					"$2y$04$t9rPD3vyuOIzh0HB9iAxaeFUsAk7tVSVa0FfRM1dNzCrL/iAkrjOS}\n",
			},
			map[string]int{
				"NetworkPolicy": 1, "PodDisruptionBudget": 1, "ServiceMonitor": 1, "PrometheusRule": 2,
				"ConfigMap": 8,
			},
			"TCP",
		},
		{"testdata/workload-identity.yaml", map[string]string{"azure-identity-token": "x"}, nil, "HTTP"},
		{
			"testdata/webhook.yaml",
			map[string]string{"client-secret": "x", "web-config.yaml": "{}\n"},
			map[string]int{"Service": 2, "Ingress": 1, "NetworkPolicy": 1, "ServiceMonitor": 1},
			"HTTPS",
		},
		{
			"testdata/replicas.yaml",
			map[string]string{"client-secret": "x", "postgres-dsn": pgtest.Database(t)},
			map[string]int{
				"StatefulSet": 0, "Deployment": 1, "ScaledObject": 1, "PodDisruptionBudget": 1,
				"NetworkPolicy": 1, "ServiceMonitor": 1,
			},
			"HTTP",
		},
	} {
		t.Run(filepath.Base(test.values), func(t *testing.T) {
			run(t, tool(t, "helm"), "lint", "--strict", "--quiet", chart, "--values", test.values)
			text := render(t, test.values)
			manifests := write(t, t.TempDir(), "manifests.yaml", text)
			run(t, tool(t, "kubeconform"), "-strict", "-schema-location", schemas, manifests)

			kinds := map[string]int{"ConfigMap": 1, "Service": 1, "ServiceAccount": 1, "StatefulSet": 1}
			maps.Copy(kinds, test.kinds)
			folder := t.TempDir()
			for name, content := range test.files {
				write(t, folder, name, content)
			}
			var args []string
			for _, o := range objects(t, text) {
				kinds[o.Kind]--
				switch {
				case o.Kind == "StatefulSet", o.Kind == "Deployment":
					args = checkPod(t, o, test.probes)
				case o.Data["config.yaml"] != "":
					config := strings.ReplaceAll(o.Data["config.yaml"], "path: /data\n", "path: data\n")
					t.Setenv("CDR_CLIENT_SECRET", "x")
					write(t, folder, "rules.yaml", o.Data["rules.yaml"])
					run(t, exporter, "check", "config", write(t, folder, "config.yaml", config))
				case o.Kind == "PrometheusRule":
					var rules any
					require.NoError(t, o.Spec.Decode(&rules))
					spec, err := json.Marshal(rules) // the YAML library can't write texts that begin with blanks
					require.NoError(t, err)
					run(t, tool(t, "promtool"), "check", "rules", write(t, t.TempDir(), "rules.yaml", string(spec)))
				case o.Kind == "ScaledObject":
					checkScaling(t, o)
				}
			}
			for kind, n := range kinds {
				if n != 0 {
					t.Errorf("%s: %d fewer than expected", kind, n)
				}
			}
			startRendered(t, folder, args)
		})
	}

	t.Run("report.yaml", func(t *testing.T) {
		run(t, tool(t, "kubeconform"), "-strict", "-schema-location", schemas,
			filepath.Join("kubernetes", "report.yaml"))
	})

	t.Run("the schemas refuse what is wrong", func(t *testing.T) {
		text := strings.NewReplacer("podManagementPolicy:", "podManagmentPolicy:", "replicas: 1", "replicas: one",
			"maxUnavailable: 0", "maxUnavailable: {}", "jobLabel:", "jobLable:", "threshold:", "treshold:",
			"minReplicaCount: 2", "minReplicaCount: two").
			Replace(render(t, "testdata/everything.yaml") + render(t, "testdata/replicas.yaml"))
		out, _, _ := try(t, tool(t, "kubeconform"), "-strict", "-schema-location", schemas,
			write(t, t.TempDir(), "manifests.yaml", text))
		for _, want := range []string{
			"additional properties 'podManagmentPolicy' not allowed", "at '/spec/replicas': got string, want integer",
			"at '/spec/maxUnavailable': got object, want integer or string",
			"additional properties 'jobLable' not allowed",
			"at '/spec/minReplicaCount': got string, want integer",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("got\n%s\nwant %s", out, want)
			}
		}
	})
}

// checkScaling: the query asks for the least number of replicas, and one more for each five feeds
// that are behind, by the shipped rules.
func checkScaling(t *testing.T, scaled object) {
	t.Helper()
	var spec struct {
		MinReplicaCount int `yaml:"minReplicaCount"`
		Triggers        []struct{ Metadata map[string]string }
	}
	require.NoError(t, scaled.Spec.Decode(&spec))
	rules, err := filepath.Abs("../dashboards/prometheus/recording.yaml")
	require.NoError(t, err)
	var series strings.Builder
	for i := range 12 {
		labels := fmt.Sprintf(`{job="cdr-exporter", instance="a", source="s%d", feed="call_log"}`, i)
		fmt.Fprintf(&series, "      - {series: 'cdr_exporter_catching_up%s', values: '0x10 1x30'}\n", labels)
		fmt.Fprintf(&series, "      - {series: 'cdr_exporter_api_throttled_seconds_total%s', values: '0x40'}\n", labels)
	}
	test := fmt.Sprintf("rule_files: [%s]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    "+
		"input_series:\n%s    promql_expr_test:\n", rules, series.String())
	for at, behind := range map[string]int{"9m": 0, "30m": 2} {
		test += fmt.Sprintf("      - {expr: '%s', eval_time: %s, exp_samples: [{labels: '{}', value: %d}]}\n",
			spec.Triggers[0].Metadata["query"], at, spec.MinReplicaCount+behind)
	}
	run(t, tool(t, "promtool"), "test", "rules", write(t, t.TempDir(), "scaling.yaml", test))
}

// checkPod compares a pod's probes with the expected kind and returns the container's arguments.
func checkPod(t *testing.T, workload object, probes string) []string {
	t.Helper()
	var p pod
	require.NoError(t, workload.Spec.Decode(&p))
	container := p.Template.Spec.Containers[0]
	for path, got := range map[string]probe{
		"/-/healthy": container.LivenessProbe,
		"/-/ready":   container.ReadinessProbe,
	} {
		switch {
		case probes == "TCP" && got.TCPSocket != nil:
		case got.HTTPGet != nil && got.HTTPGet.Path == path && got.HTTPGet.Scheme == probes:
		default:
			t.Errorf("the probe of %s is %+v, want %s", path, got, probes)
		}
	}
	return container.Args
}

var inPod = regexp.MustCompile(`^(--[a-z.-]+)=(/etc/cdr-exporter/|:\d+$)`)

// startRendered starts the program with a container's arguments, its folder and ports aside, where
// nothing outside can be reached, and asks what the probes ask.
func startRendered(t *testing.T, folder string, args []string) {
	t.Helper()
	args, address, protected := slices.Clone(args), "", false
	for i, arg := range args {
		switch found := inPod.FindStringSubmatch(arg); {
		case found == nil:
		case strings.HasPrefix(found[2], "/"):
			args[i] = found[1] + "=" + filepath.Join(folder, arg[len(found[0]):])
			protected = protected || found[1] == "--web.config.file" &&
				strings.Contains(golden.Read(t, filepath.Join(folder, "web-config.yaml")), "basic_auth")
		default:
			listen := freeAddress(t)
			args[i] = found[1] + "=" + listen
			if found[1] == "--web.listen-address" {
				address = "http://" + listen
			}
		}
	}
	start(t, folder, []string{"HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY="}, exporter, args...)
	want := http.StatusOK
	if protected {
		want = http.StatusUnauthorized // which is why the probes are of TCP
	}
	require.Eventually(t, "the program answers", func() bool { return status(t, address+"/-/healthy") == want })
}

// TestE2EManifests: the plain manifests are what the chart makes of deploy/kubernetes/values.yaml.
func TestE2EManifests(t *testing.T) {
	const file = "kubernetes/cdr-exporter.yaml"
	want := "# Made from the chart in deploy/helm/cdr-exporter with deploy/kubernetes/values.yaml: make generate\n" +
		render(t, "kubernetes/values.yaml")
	golden.File(t, file, []byte(want))
}

// TestE2EPackagedChart: a packaged chart has the rules and dashboards that the folder links to.
func TestE2EPackagedChart(t *testing.T) {
	folder := t.TempDir()
	run(t, tool(t, "helm"), "package", chart, "--destination", folder)
	packages, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("got packages %q, %v", packages, err)
	}
	const values = "testdata/everything.yaml"
	packaged := run(t, tool(t, "helm"), "template", "cdr-exporter", packages[0], "--namespace", "telephony", "--values",
		values)
	if packaged != render(t, values) {
		t.Error("the packaged chart renders something else than the folder")
	}
	for file, kept := range map[string]func(string) bool{
		// The chart writes its own rules, with the thresholds of its values and without the alert
		// that they turn off.
		"../dashboards/prometheus/alerts.yaml": func(line string) bool {
			return strings.HasPrefix(line, "- alert: ") && line != "- alert: CDRWatchdog"
		},
		"../dashboards/grafana/overview.json": func(string) bool { return true },
	} {
		for line := range strings.Lines(golden.Read(t, file)) {
			line = strings.TrimSpace(line)
			if kept(line) && !strings.Contains(packaged, strings.TrimPrefix(line, "- ")) {
				t.Fatalf("%s: the packaged chart lacks the line %s", file, line)
			}
		}
	}
}

// TestE2EChartManagedIdentity: the NetworkPolicy lets the pod ask for a managed identity's token,
// and nobody else for one of the node's.
func TestE2EChartManagedIdentity(t *testing.T) {
	for values, want := range map[string]bool{"testdata/everything.yaml": true, "kubernetes/values.yaml": false} {
		if strings.Contains(render(t, values), "cidr: 169.254.169.254/32") != want {
			t.Errorf("%s: whether the endpoint of managed identities may be reached isn't %t", values, want)
		}
	}
}

// refused are values that are wrong, as --set takes them, and what the error says.
const refused = `
config=null | config.sources: name at least one account to read
serviceMonitors.enabled=true | additional properties 'serviceMonitors' not allowed
web.tsl=true | at '/web': additional properties 'tsl' not allowed
replicas=2 | replicas: a ledger on a volume is read by one pod; for several name the Secret of a database
autoscaling.enabled=true | autoscaling.enabled: a ledger on a volume is read by one pod
storage.postgres.dsnSecret.name=db,persistence.existingClaim=ledger | are both set: the ledger is on a volume or in a
storage.postgres.dsnSecret.name=db,config.storage.path=/data | config.storage: storage.postgres sets it
config.storage.postgres.dsn_file=dsn | storage.postgres.dsnSecret.name: name the Secret that holds the address
replicas=many | at '/replicas': got string, want integer
terminationGracePeriodSeconds=1m | at '/terminationGracePeriodSeconds': got string, want integer
persistence.size=4GB | at '/persistence/size': '4GB' does not match pattern
persistence.accessMode=ReadWriteMany | at '/persistence/accessMode': value must be one of 'ReadWriteOnce', 'ReadWrite
web.tls=true | at '/web/configFile': minLength: got 0, want 1
webhook.ingress.enabled=true | at '/webhook/ingress/host': minLength: got 0, want 1
workloadIdentity.clientId=contoso | at '/workloadIdentity/clientId': 'contoso' does not match pattern
config.sources[1].msgraph.tenant_id=x | at '/config/sources/1': missing property 'name'
secrets[0].client-secret=x | at '/secrets/0': got object, want string
`

// secretValues are keys whose values must not be in a ConfigMap.
var secretValues = []string{
	"config.sources[0].msgraph.client_secret=hunter2", "config.sources[0].msgraph.client_secret=${env:X:-hunter2}",
	"config.sources[0].wavix.api_key=hunter2", "config.sources[0].twilio.auth_token=hunter2",
	"config.sources[0].acmetel.token=hunter2", "config.sources[0].aircall.api_token=hunter2",
	"config.sources[0].eight_by_eight.password=hunter2", "config.sources[0].elks46.api_password=hunter2",
	"config.otlp.headers.Authorization=hunter2",
	"config.otlp.tls_config.key=hunter2", "config.privacy.hash_key=12345",
	"config.sources[0].proxy_url=http://u:hunter2@proxy:3128",
	"storage.postgres.tlsConfig.key=hunter2,storage.postgres.dsnSecret.name=db",
}

// TestE2EChartRefuses: a wrong value is named when the chart is rendered, with what would be right.
func TestE2EChartRefuses(t *testing.T) {
	tests := strings.TrimSpace(refused)
	for _, set := range secretValues {
		key, _, _ := strings.Cut(set, "=")
		tests += "\n" + set + " | " + key + ": a secret must not be in a ConfigMap"
	}
	for line := range strings.SplitSeq(tests, "\n") {
		set, want, _ := strings.Cut(line, " | ")
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			_, message, err := try(t, tool(t, "helm"), "template", "cdr-exporter", chart, "--values",
				"kubernetes/values.yaml", "--set", set)
			if err == nil || !strings.Contains(message, want) || strings.Contains(message, "hunter2") {
				t.Errorf("got %v:\n%s\nwant %s, and no secret", err, message, want)
			}
		})
	}
}

// render renders the chart with a file of values.
func render(t *testing.T, values string) string {
	t.Helper()
	return run(t, tool(t, "helm"), "template", "cdr-exporter", chart, "--namespace", "telephony", "--values", values)
}

// objects are the manifests in a text.
func objects(t *testing.T, text string) (all []object) {
	t.Helper()
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		switch err := decoder.Decode(&o); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, o)
	}
}

// TestE2EChartDocs renders what docs/kubernetes.md shows: every block of values, merged into the
// first one, and every helm command.
func TestE2EChartDocs(t *testing.T) {
	page := strings.ReplaceAll(golden.Read(t, "../docs/kubernetes.md"), "\\\n", "")
	folder := t.TempDir()
	values := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	first := write(t, folder, "values.yaml", values[0][1])
	for i, block := range values {
		t.Run(fmt.Sprintf("values %d", i+1), func(t *testing.T) {
			t.Parallel()
			file := write(t, t.TempDir(), "values.yaml", block[1])
			run(t, tool(t, "helm"), "lint", "--strict", "--quiet", chart, "--values", first, "--values", file)
		})
	}
	commands := regexp.MustCompile(`(?m)^helm (upgrade --install|template) ([^|\n]*)`).FindAllStringSubmatch(page, -1)
	for i, command := range commands {
		t.Run(fmt.Sprintf("command %d", i+1), func(t *testing.T) {
			t.Parallel()
			args := strings.NewReplacer("values.yaml", first, "deploy/", "").Replace(command[2])
			if text := run(t, tool(t, "helm"), append([]string{"template"}, strings.Fields(args)...)...); len(objects(t,
				text)) == 0 {
				t.Error("nothing is rendered")
			}
		})
	}
	if len(values) < 8 || len(commands) != 3 {
		t.Errorf("%d blocks of values and %d commands were found: this shows too little", len(values), len(commands))
	}
}
