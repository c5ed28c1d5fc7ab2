// Command mutants proves that the tests find defects which somebody could write. Each entry of
// mutants.yaml replaces one text of one file; the test that it names must pass without the change
// and fail with it. The files of the tree don't change: the go command reads the mutated file
// through an overlay.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

//go:embed mutants.yaml
var list []byte

// mutant is a defect.
type mutant struct {
	// Name says what it does to users.
	Name string `yaml:"name"`
	// File is where it is, Is the text that stands there once, and Becomes what the defect makes of it.
	File    string `yaml:"file"`
	Is      string `yaml:"is"`
	Becomes string `yaml:"becomes"`
	// Package has the test that finds it.
	Package string `yaml:"package"`
	Test    string `yaml:"test"`
}

func main() { program.Main("mutants", run) }

// run tries the mutants from the repository's folder.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(out)
	chosen := flags.String("run", "", "only mutants whose name matches this regular expression")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*chosen)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	all, err := mutants()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is temporary
	var errs []error
	passes := make(map[string]error) // of the tests without a mutant
	for _, m := range all {
		if !pattern.MatchString(m.Name) {
			continue
		}
		test := m.Package + "." + m.Test
		if _, known := passes[test]; !known {
			_, passes[test] = m.goTest(ctx, "")
		}
		err := passes[test]
		if err != nil {
			err = fmt.Errorf("%s doesn't pass without the mutant: %w", test, err)
		} else {
			err = m.find(ctx, folder)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
			fmt.Fprintf(out, "SURVIVED  %s: %v\n", m.Name, err)
			continue
		}
		fmt.Fprintf(out, "found     %s: %s\n", m.Name, test)
	}
	return errors.Join(errs...)
}

// mutants reads the list.
func mutants() (all []mutant, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(list))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("mutants.yaml: %w", err)
	}
	return all, nil
}

// find says why no test finds the mutant; nil: one does.
func (m *mutant) find(ctx context.Context, folder string) error {
	text, err := m.apply()
	if err != nil {
		return err
	}
	file, err := filepath.Abs(m.File)
	if err != nil {
		return err
	}
	mutated, overlay := filepath.Join(folder, "mutated.go"), filepath.Join(folder, "overlay.json")
	replaced, err := json.Marshal(map[string]map[string]string{"Replace": {file: mutated}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(mutated, text, 0o600), os.WriteFile(overlay, replaced, 0o600)); err != nil {
		return err
	}
	output, err := m.goTest(ctx, overlay)
	switch {
	case err == nil:
		return fmt.Errorf("%s.%s passes", m.Package, m.Test)
	case !bytes.Contains(output, []byte("--- FAIL: ")) && !bytes.Contains(output, []byte("panic: ")):
		return fmt.Errorf("no test failed, but the command did: %w\n%s", err, output)
	}
	return nil
}

// apply returns the file with the defect.
func (m *mutant) apply() ([]byte, error) {
	text, err := os.ReadFile(m.File)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(text, []byte(m.Is)); n != 1 {
		return nil, fmt.Errorf("%s has the text %q %d times: the mutant no longer applies; write it for the "+
			"code of today", m.File, m.Is, n)
	}
	return bytes.Replace(text, []byte(m.Is), []byte(m.Becomes), 1), nil
}

// goTest runs the test, with an overlay if one is given.
func (m *mutant) goTest(ctx context.Context, overlay string) ([]byte, error) {
	args := []string{"test", "-count=1", "-vet=off", "-timeout=5m", "-run=^" + m.Test + "$"}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	//nolint:gosec // our own list
	output, err := exec.CommandContext(ctx, "go", append(args, "./"+m.Package)...).CombinedOutput()
	if err == nil && bytes.Contains(output, []byte("[no tests to run]")) {
		err = errors.New("there is no such test")
	}
	if err != nil && overlay == "" {
		err = fmt.Errorf("%w\n%s", err, output)
	}
	return output, err
}
