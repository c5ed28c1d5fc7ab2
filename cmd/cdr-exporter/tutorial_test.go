package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestTutorial: docs/follow-a-call.md can be followed. Its files are saved, its commands are run one after the
// other, and each prints what the page says. The page sleeps for as long as that takes on a quiet machine; here the
// last command of a step is repeated until it prints that.
func TestTutorial(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/follow-a-call.md")
	require.NoError(t, err)
	folder := t.TempDir()
	save := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink(binary(), filepath.Join(folder, "cdr-exporter")))
	address := free(t)
	usual := regexp.MustCompile(`localhost(:\d+)/metrics`).FindSubmatch(page)[1]
	if help, err := exec.CommandContext(t.Context(), binary(), "run", "--help").Output(); !bytes.Contains(help, usual) {
		t.Errorf("the page has the port %s, %v, and the exporter another one:\n%s", usual, err, help)
	}
	here := strings.NewReplacer("localhost"+string(usual), address, "cdr-exporter run",
		"cdr-exporter run --web.listen-address="+address)
	script, step, steps := "trap 'kill $!' EXIT\n", "", 0
	files := []string{"pbx.yaml", "config.yaml"}
	for _, block := range regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch language, text := block[1], block[2]; language {
		case "yaml":
			save(files[0], text)
			files = files[1:]
		case "sh":
			script, step = script+step, here.Replace(text)
		case "text":
			steps++
			at := strings.LastIndex(strings.TrimSuffix(step, "\n"), "\n") + 1
			save(fmt.Sprint("command-", steps), step[at:])
			save(fmt.Sprint("want-", steps), text)
			script, step = script+step[:at]+fmt.Sprintf("step %d\n", steps), ""
		}
	}
	script = strings.Replace(script, "sleep 3\n",
		"while kill -0 $! && ! curl -sf "+address+"/-/ready > ready; do sleep 0.1; done\n", 1)
	script = regexp.MustCompile(`(?m)^sleep \d+\n`).ReplaceAllString(script, "")
	shell := exec.CommandContext(t.Context(), "bash", "-c", `step() {
		for _ in $(seq 500); do
			. ./command-$1 > got-$1
			cmp -s got-$1 want-$1 && return
			sleep 0.2
		done
		echo "step $1:"; cat got-$1; echo; echo want; cat want-$1; echo; cat log
		exit 1
	}
	`+script)
	shell.Dir, shell.Env = folder, append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
	if out, err := shell.CombinedOutput(); err != nil || steps < 6 {
		t.Errorf("%d steps: %v\n%s", steps, err, out)
	}
}
