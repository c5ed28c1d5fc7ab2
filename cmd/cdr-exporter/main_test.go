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
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The programs under test, built when the first test asks for them: most tests of the package itself don't.
var (
	// binary is built as it is released, with the Makefile's settings, so that its packages are in the cache already.
	binary = sync.OnceValue(func() string { return build("cdr-exporter", "0", "-trimpath") })
	// racedBinary has the race detector if CDR_RACE is set, as `make test` does: for tests in which
	// much goes on at once. It needs several times as long for everything, so no other test, and
	// neither the harness nor the simulators, have the detector there.
	racedBinary = sync.OnceValue(func() string {
		if os.Getenv("CDR_RACE") == "" {
			return binary()
		}
		// As in the Makefile, which says why.
		return build("cdr-exporter-race", "1", "-race", "-gcflags=modernc.org/...=-race=false")
	})
	// binaries is the folder that they are in, packageDir this package's, since a test may change the directory.
	binaries, packageDir string
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

// runTests runs the tests and looks for goroutines of the harness that they left behind.
func runTests(m *testing.M) int {
	var err error
	if packageDir, err = os.Getwd(); err != nil {
		fmt.Fprintln(os.Stderr, "find the package:", err)
		return 1
	}
	if binaries, err = os.MkdirTemp("", "cdr-exporter-test-"); err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binaries:", err)
		return 1
	}
	defer os.RemoveAll(binaries) //nolint:errcheck // A temporary folder; the system clears it too.
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// build builds the binary, with or without cgo, and returns its path. No test can go on without it.
func build(name, cgo string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	path := filepath.Join(binaries, name)
	args = append([]string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", path}, args...)
	command := exec.CommandContext(ctx, "go", append(args, ".")...)
	command.Dir, command.Env = packageDir, append(os.Environ(), "CGO_ENABLED="+cgo)
	if output, err := command.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the binary: %v\n%s", err, output))
	}
	return path
}
