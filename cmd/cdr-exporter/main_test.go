// Package main_test drives the built binary as a user does: processes, files,
// signals and HTTP, against simulated providers over HTTPS whose totals are known.
package main_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The programs under test; TestMain builds them, before any test runs.
var (
	// binary is built as it is released.
	binary string
	// racedBinary has the race detector if CDR_RACE is set, as `make test` does: for tests in which
	// much goes on at once. It needs several times as long for everything, so no other test, and
	// neither the harness nor the simulators, have the detector there.
	racedBinary string
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := setFlags(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(runTests(m))
}

// setFlags sets what the command line leaves open: more tests at once than there are
// cores, since most of the time they wait; and of a short run only the commands.
func setFlags() error {
	flags := map[string]string{"test.parallel": "6"}
	if testing.Short() {
		flags["test.run"] = "^TestScripts$/^(usage|check_config|run_fails)$"
	}
	for name, value := range flags {
		f := flag.Lookup(name)
		if f.Value.String() != f.DefValue {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// runTests builds the binaries, runs the tests and looks for goroutines of the
// harness that they left behind.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "cdr-exporter-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binaries:", err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // A temporary folder; the system clears it too.
	if err := buildAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// buildAll builds the binaries into a folder. The one without the race detector is built with
// the Makefile's settings, so that its packages are in the cache already.
func buildAll(folder string) error {
	binary = filepath.Join(folder, "cdr-exporter")
	racedBinary = binary
	if err := build(binary, "0", "-trimpath"); err != nil || os.Getenv("CDR_RACE") == "" {
		return err
	}
	racedBinary = filepath.Join(folder, "cdr-exporter-race")
	// As in the Makefile, which says why.
	return build(racedBinary, "1", "-race", "-gcflags=modernc.org/...=-race=false")
}

// build builds the binary, with or without cgo.
func build(to, cgo string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args = append([]string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", to}, args...)
	command := exec.CommandContext(ctx, "go", append(args, ".")...)
	command.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}
