package main

import (
	"path/filepath"
	"testing"
)

// A secret that is typed goes into a file, so it may look like a variable of the environment.
func TestTypedSecretIsNoVariable(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "wavix-api-key.txt")
	i := &initCommand{
		provider: "wavix", storage: "data", output: filepath.Join(folder, "config.yaml"),
		values: map[string]*string{"api_key_file": &file},
		typed:  map[string]string{"api_key_file": "${env:CDR_NOT_SET}"},
	}
	if problems := i.problems(); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
	i.typed = nil
	if problems := i.problems(); len(problems) != 1 || problems[0].Path != "sources[0].wavix.api_key_file" {
		t.Errorf("without the file: %v", problems)
	}
}
