package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRoot(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if found, err := root(t.Context()); err != nil || found != filepath.Dir(filepath.Dir(here)) {
		t.Errorf("found %q, %v", found, err)
	}
	t.Chdir(t.TempDir())
	if _, err := root(t.Context()); err == nil || !strings.Contains(err.Error(), "clone of cdr-exporter") {
		t.Errorf("elsewhere: %v", err)
	}
}

// TestFindPrograms: what is missing is named with how it is had, all at once.
func TestFindPrograms(t *testing.T) {
	home := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	_, err := findPrograms(home)
	for _, part := range []string{"make tools", "apt-get install prometheus-alertmanager"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("nothing is there, and it says %v", err)
		}
	}
	bin := filepath.Join(home, ".tools", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prometheus", "alertmanager"} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil { //nolint:gosec // it is to be a program
			t.Fatal(err)
		}
	}
	if p, err := findPrograms(home); err != nil || p.prometheus != filepath.Join(bin, "prometheus") || p.alertmanager != filepath.Join(bin, "alertmanager") {
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
