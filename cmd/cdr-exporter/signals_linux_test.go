package main_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLedgerCommandsEndAtASignal: they don't end what they read first, which may be a large ledger, or here a file that never ends.
func TestLedgerCommandsEndAtASignal(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]string{"show": "--config.file=", "verify": "--config.file=", "compact": "--config.file=", "copy": "--to=new.yaml --from="} {
		pipe := newSite(t).path(name + ".yaml")
		if err := unix.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"ledger", name}, strings.Fields(flag+pipe)...)...)
		cmd.Env = environment(nil)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until the command opens it
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != -1 {
			t.Errorf("ledger %s: %s, want the end by a signal", name, cmd.ProcessState)
		}
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	}
}
