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
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The programs under test; TestMain builds them, before any test runs.
var (
	// binary has the race detector if CDR_RACE is set, as `make test` does, so that races of
	// the real process are seen. The tests and the simulators themselves do without it there:
	// it would take most of the machine's time.
	binary string
	// shipped is built as it is released: for tests of speed, of volume, and of many
	// starts.
	shipped string
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := waitTogether(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(runTests(m))
}

// waitTogether lets more tests run at once than there are cores, unless the flag says
// how many: most of the time they wait.
func waitTogether() error {
	const together = 6
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() != parallel.DefValue {
		return nil
	}
	if err := flag.Set(parallel.Name, strconv.Itoa(together)); err != nil {
		return fmt.Errorf("run tests together: %w", err)
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

// buildAll builds the binaries into a folder. The shipped one is built with the
// Makefile's settings, so that its packages are in the cache already.
func buildAll(folder string) error {
	shipped = filepath.Join(folder, "cdr-exporter")
	binary = shipped
	if err := build(shipped, "0", "-trimpath"); err != nil || os.Getenv("CDR_RACE") == "" {
		return err
	}
	binary = filepath.Join(folder, "cdr-exporter-race")
	return build(binary, "1", "-race", "-gcflags=modernc.org/...=-race=false") // as in the Makefile, which says why
}

// build builds the binary, with or without cgo.
func build(to, cgo string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args = append([]string{"build", "-buildvcs=false", "-o", to}, args...)
	command := exec.CommandContext(ctx, "go", append(args, ".")...)
	command.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}
