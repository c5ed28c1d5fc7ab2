package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/dashboards"
	"github.com/cdr-exporter/cdr-exporter/docs"
)

// assetsInto writes the bundled files into a folder, and returns what it says and its
// exit code.
func assetsInto(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), shipped, append([]string{"assets"}, args...)...)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return out.String(), problems.String(), code
}

// bundled are the files that the binary carries, by where they go in a folder.
func bundled(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for _, files := range []fs.FS{dashboards.Files, docs.Runbooks} {
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(files, name)
			if filepath.Ext(name) == ".md" { // what it links to isn't written
				content = bytes.ReplaceAll(content, []byte("](../"),
					[]byte("](https://github.com/cdr-exporter/cdr-exporter/blob/main/docs/"))
			}
			all[filepath.Join(dir, filepath.FromSlash(name))] = content
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestAssets writes the bundled files, and again, and over one that somebody changed.
func TestAssets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	want := bundled(t, dir)
	stdout, stderr, code := assetsInto(t, dir)
	if code != 0 || stderr != "" || strings.Count(stdout, "wrote ") != len(want) {
		t.Fatalf("into a folder that isn't there: code %d\n%s%s", code, stdout, stderr)
	}
	holds(t, dir, want)

	stdout, stderr, code = assetsInto(t, dir)
	if code != 0 || stderr != "" || strings.Contains(stdout, "wrote ") {
		t.Errorf("again: code %d\n%s%s", code, stdout, stderr)
	}

	changed, missing := filepath.Join(dir, "grafana", "overview.json"), filepath.Join(dir, "grafana", "cost.json")
	if err := os.WriteFile(changed, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(missing); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code = assetsInto(t, dir)
	if code != 1 || stdout != "" || !strings.Contains(stderr, filepath.Join("grafana", "overview.json")) ||
		!strings.Contains(stderr, "--force") {
		t.Errorf("over a changed file: code %d\n%s%s", code, stdout, stderr)
	}
	if text, err := os.ReadFile(changed); err != nil || string(text) != "{}" {
		t.Errorf("the changed file became %q, %v", text, err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a file was written though another differs")
	}

	stdout, stderr, code = assetsInto(t, "--force", dir)
	if code != 0 || stderr != "" || strings.Count(stdout, "wrote ") != 2 {
		t.Errorf("with --force: code %d\n%s%s", code, stdout, stderr)
	}
	holds(t, dir, want)
}

// TestAssetsConfig (contract 1): a file of parameters changes the rules and Alertmanager's example.
// An error in it names file, line and key, and then nothing is written.
func TestAssetsConfig(t *testing.T) {
	t.Parallel()
	dir, parameters := t.TempDir(), filepath.Join(t.TempDir(), "rules.yaml")
	write := func(text string) {
		if err := os.WriteFile(parameters, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("keep_labels: [cluster]\nselector: job=\"calls\"\noff: [CDRWatchdog]\nemergency_calls: " +
		"critical\ndisk_free_bytes: 7\n")
	if stdout, stderr, code := assetsInto(t, "--config", parameters, dir); code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	for file, want := range map[string][]string{
		"prometheus/alerts.yaml": {
			"< 7\n", "and on (cluster, source, feed)",
			`cdr_emergency_calls_total{job="calls",outcome!~"answered|unknown",test="false"}`,
		},
		"prometheus/recording.yaml":      {`rate(cdr_calls_total{job="calls"}[5m])`, "sum by (cluster, source, feed)"},
		"alertmanager/alertmanager.yaml": {"equal: [cluster, source, feed]"},
		"runbooks/CDRTrunkDown.md":       {"# CDRTrunkDown"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || strings.Contains(string(text), "CDRWatchdog") && strings.HasPrefix(file, "prometheus") {
			t.Errorf("%s: %v, or it has the alert that is off", file, err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s lacks %q", file, w)
			}
		}
	}
	write("disk_free_bytes: 7\noff: CDRNothing\nfew_share: 2\n")
	empty := t.TempDir()
	stdout, stderr, code := assetsInto(t, "--config", parameters, empty)
	if code != 1 || stdout != "" || !strings.Contains(stderr, parameters+":2: off: ") ||
		!strings.Contains(stderr, parameters+":3: few_share: ") {
		t.Errorf("wrong parameters: code %d\n%s%s", code, stdout, stderr)
	}
	holds(t, empty, nil)
}

// TestAssetsForAConfiguration (contract 2): rules and dashboards are for the feeds of a
// configuration, with the thresholds of its rules_file, or those of --config. Its secrets don't
// have to exist. Runbooks are written in any case.
func TestAssetsForAConfiguration(t *testing.T) {
	t.Parallel()
	dir, folder := t.TempDir(), t.TempDir()
	file := filepath.Join(folder, "config.yaml")
	for name, text := range map[string]string{
		"config.yaml": "rules_file: rules.yaml\nlabels: [{name: department, file: people.csv, key: user}, " +
			"{name: building, file: buildings.csv, key: subnet}]\nsources:\n  - name: wave\n    wavix: " +
			"{api_key_file: nowhere.txt, call_log: }\n  - name: contoso\n" +
			"    msgraph: {tenant_id: contoso.onmicrosoft.com, client_id: " +
			"3f1c55f2-0000-4000-8000-000000000002, client_secret_file: nowhere.txt, pstn: }\n",
		"people.csv": "user,department\njane@example.com,Sales\n",
		"rules.yaml": "error_budget: 0.02\ndisk_free_bytes: 7\nalert_labels: {CDRFailureSpike: [department]}\n",
		"wrong.yaml": "alert_labels: {CDRFailureSpike: [site]}\n", "other.yaml": "error_budget: 0.03\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(name string, want, lacks []string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s lacks %s", name, w)
			}
		}
		for _, l := range lacks {
			if strings.Contains(string(text), l) {
				t.Errorf("%s has %s", name, l)
			}
		}
	}
	if stdout, stderr, code := assetsInto(t, "--config.file", file, dir); code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	reads("prometheus/recording.yaml", []string{`feed="call_log"`, `feed="pstn"`, `feed=""`},
		[]string{`feed=~"direct_routing`, `feed="call_records"`, `"<`})
	reads("prometheus/alerts.yaml", []string{
		"> 14.4 * 0.02", "< 7\n",
		"department_source_feed_trunk:cdr_timely_faults:rate1h",
	}, nil)
	reads("grafana/overview.json", []string{
		`feed=\"call_log\"`, "more than 28.8 %", `"call_log|pstn"`, `"name": "department"`,
		`department=~\"$department\"`,
		`"title": "Failed calls by department"`,
	}, []string{`|direct_routing`})
	reads("grafana/trunks.json", []string{`"name": "department"`, `"title": "Failed calls by department"`},
		[]string{"building"})
	reads("grafana/cost.json", []string{
		`sum by (source, department) (increase(cdr_calls_total{`,
		`"timeShift": "1M/M"`,
	}, nil)
	reads("grafana/quality.json", []string{`feed=\"\"`, `"title": "Poor audio by building"`, `building=~\"$building\"`},
		[]string{`"department"`})
	reads("runbooks/CDRTrunkDown.md", []string{"# CDRTrunkDown"}, nil)
	if stdout, stderr, code := assetsInto(t, "--force", "--config", filepath.Join(folder, "other.yaml"),
		"--config.file", file, dir); code != 0 || stderr != "" {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	reads("prometheus/alerts.yaml", []string{"> 14.4 * 0.03", ">= 5"}, []string{"department"})
	stdout, stderr, code := assetsInto(t, "--force", "--config", filepath.Join(folder, "wrong.yaml"), "--config.file",
		file, dir)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "alert_labels: "+file+" doesn't have the labels site: ") {
		t.Errorf("a label that the configuration doesn't have: code %d\n%s%s", code, stdout, stderr)
	}
}

// TestAssetsFail: a folder that can't be one is an error that names it.
func TestAssetsFail(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := assetsInto(t, file); code != 1 || stdout != "" || !strings.Contains(stderr, file) {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
}

// holds expects a folder to hold these files, which everybody may read, and no other.
func holds(t *testing.T, dir string, want map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if content, ok := want[path]; !ok || !bytes.Equal(got, content) {
			t.Errorf("%s isn't a bundled file as it is", path)
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm() != 0o644 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range want {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
