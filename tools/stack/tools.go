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
func findPrograms(root string) (p programs, err error) {
	p.prometheus, err = find(root, "make tools", "prometheus")
	var missing error
	p.alertmanager, missing = find(root, "apt-get install prometheus-alertmanager", "prometheus-alertmanager", "alertmanager")
	return p, errors.Join(err, missing)
}

// find finds a program by one of its names.
func find(root, how string, names ...string) (file string, err error) {
	for _, name := range names {
		for _, candidate := range []string{filepath.Join(root, ".tools", "bin", name), name} {
			if file, err = exec.LookPath(candidate); err == nil {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("%s is neither in .tools/bin nor in PATH: %s", names[0], how)
}

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
