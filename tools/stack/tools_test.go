package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindPrograms: what is missing is named with how it is had, all at once.
func TestFindPrograms(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", t.TempDir())
	_, err := findPrograms()
	for _, part := range []string{"make tools", "apt-get install prometheus-alertmanager"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("nothing is there, and it says %v", err)
		}
	}
	bin := filepath.Join(".tools", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prometheus", "alertmanager"} {
		//nolint:gosec // it must be executable
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := findPrograms(); err != nil || p.prometheus != filepath.Join(bin, "prometheus") ||
		p.alertmanager != filepath.Join(bin, "alertmanager") {
		t.Errorf("found %+v, %v", p, err)
	}
}

// TestRunRefuses: what can't work is said before anything is started.
func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"--speed=0"}, {"--speed=16"}, {"--what"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}
