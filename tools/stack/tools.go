package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

type programs struct{ exporter, prometheus, alertmanager string }

// findPrograms finds the programs, and says how to get each one that is missing.
func findPrograms() (p programs, err error) {
	p.prometheus, err = find("make tools", "prometheus")
	var missing error
	p.alertmanager, missing = find("apt-get install prometheus-alertmanager", "prometheus-alertmanager", "alertmanager")
	return p, errors.Join(err, missing)
}

// find finds a program by one of its names. The working directory is the repository.
func find(how string, names ...string) (file string, err error) {
	for _, name := range names {
		for _, candidate := range []string{filepath.Join(".tools", "bin", name), name} {
			if file, err = exec.LookPath(candidate); err == nil {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("%s is neither in .tools/bin nor in PATH: %s", names[0], how)
}
