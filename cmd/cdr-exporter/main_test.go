// Package main_test drives the built binary as a user does: processes, files,
// signals and HTTP, against a simulated tenant over HTTPS whose totals are known.
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

// binary is the program under test; TestMain builds it, before any test runs.
var binary string

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

// runTests builds the binary, runs the tests and looks for goroutines of the
// harness that they left behind.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "cdr-exporter-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "cdr-exporter")
	if err := build(binary); err != nil {
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

// build builds the binary with the race detector if the tests have it, so that
// races of the real process are seen, and without a C compiler if they don't.
func build(to string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args := []string{"build", "-buildvcs=false", "-o", to}
	if raceDetector {
		args = append(args, "-race")
	}
	command := exec.CommandContext(ctx, "go", append(args, ".")...)
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}
