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

// root returns the folder of the clone that we are in.
func root(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil || filepath.Base(strings.TrimSpace(string(file))) != "go.mod" {
		return "", errors.New("run this in a clone of cdr-exporter: the folder and those above it have no go.mod")
	}
	return filepath.Dir(string(file)), nil
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
		for _, name := range want.names {
			for _, file := range []string{name, filepath.Join(root, ".tools", "bin", name)} {
				if found, err := exec.LookPath(file); err == nil {
					*want.to = found
				}
			}
		}
		if *want.to == "" {
			missing = append(missing, fmt.Errorf("%s is neither in .tools/bin nor in PATH: %s", want.names[0], want.how))
		}
	}
	return p, errors.Join(missing...)
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
