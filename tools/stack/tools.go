package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are the files of the parts.
type programs struct{ exporter, prometheus, alertmanager string }

// root is the repository's folder: `go run` tells none, so we go up to go.mod.
func root(from string) (string, error) {
	const module = "module github.com/cdr-exporter/cdr-exporter\n"
	for folder := from; ; folder = filepath.Dir(folder) {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), module) {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("run this in a clone of cdr-exporter: the folder and those above it have no go.mod of it")
		}
	}
}

// findPrograms finds what is there, and says of everything that isn't how it is had.
func findPrograms(root string) (programs, error) {
	var p programs
	var missing []error
	for _, want := range []struct {
		to    *string
		names []string
		how   string
	}{
		{&p.prometheus, []string{"prometheus"}, "make tools"},
		{&p.alertmanager, []string{"prometheus-alertmanager", "alertmanager"}, "apt-get install prometheus-alertmanager"},
	} {
		if *want.to = find(filepath.Join(root, ".tools", "bin"), want.names); *want.to == "" {
			missing = append(missing, fmt.Errorf("%s is neither in .tools/bin nor in PATH: %s", want.names[0], want.how))
		}
	}
	return p, errors.Join(missing...)
}

func find(folder string, names []string) string {
	for _, name := range names {
		if file := filepath.Join(folder, name); executable(file) {
			return file
		}
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	return ""
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// build builds the exporter.
func (p *programs) build(ctx context.Context, root, folder string) error {
	p.exporter = filepath.Join(folder, "cdr-exporter")
	command := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-o", p.exporter, "./cmd/cdr-exporter")
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build the exporter: %w\n%s", err, output)
	}
	return nil
}

// freeAddress is an address on this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
