//go:build e2e

package deploy_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// tool is the path of a program that `make real-parts` built.
func tool(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), name)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must name a folder with %s: run `make deploy-check`: %v", name, err)
	}
	return file
}

// exporter is the program under test, which TestMain builds.
var exporter string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "cdr-exporter-deploy-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder; the system clears it too
	exporter = filepath.Join(folder, "cdr-exporter")
	build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", exporter,
		"../cmd/cdr-exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as `make build`, which has compiled most of it
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build cdr-exporter:", err)
		return 1
	}
	return m.Run()
}

// run runs a program to its end and returns what it wrote to stdout.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, errors, err := try(t, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(program), strings.Join(args, " "), err, out, errors)
	}
	return out
}

// try is run for a program that may fail.
func try(t *testing.T, program string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errors strings.Builder
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	err = cmd.Run()
	return out.String(), errors.String(), err
}

// start starts a program in a folder, which the test stops.
func start(t *testing.T, folder string, environment []string, program string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environment...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil && !strings.Contains(err.Error(), "signal") {
			t.Errorf("%s: %v", filepath.Base(program), err)
		}
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the log of %s:\n%s", filepath.Base(program), text)
		}
		_ = log.Close()
	})
}

// freeAddress is an unused loopback address.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := simulator.FreeAddress(t.Context())
	require.NoError(t, err)
	return address
}

// status returns the status of a GET, or 0 without an answer.
func status(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// write writes a file in a folder.
func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	file := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// decode decodes YAML.
func decode[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return value
}
