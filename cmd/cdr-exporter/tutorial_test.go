package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTutorial: docs/follow-a-call.md can be followed. Its files are saved, its commands are run one after the
// other, and each prints what the page says.
func TestTutorial(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/follow-a-call.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(folder, "cdr-exporter")); err != nil {
		t.Fatal(err)
	}
	const step = "--- a step"
	var script, want strings.Builder
	files := []string{"pbx.yaml", "config.yaml"}
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch language, text := block[1], block[2]; language {
		case "yaml":
			if err := os.WriteFile(filepath.Join(folder, files[0]), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			files = files[1:]
		case "sh":
			fmt.Fprintf(&script, "echo %s\n%s", step, text)
			want.WriteString(step + "\n")
		case "text":
			want.WriteString(text)
		}
	}
	address := free(t)
	commands := strings.NewReplacer("localhost:9477", address, "cdr-exporter run",
		"cdr-exporter run --web.listen-address="+address).Replace("trap 'kill $!' EXIT\n" + script.String())
	shell := exec.CommandContext(t.Context(), "bash", "-c", commands)
	shell.Dir, shell.Env = folder, append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	out, err := shell.Output()
	if got := string(out); err != nil || got != want.String() {
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		t.Errorf("%v\n%s\nwant\n%s\n%s", err, got, want.String(), log)
	}
}
