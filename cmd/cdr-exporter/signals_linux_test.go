package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestLedgerCommandsEndAtASignal: they don't end what they read first, which may be a large ledger,
// or here a file that never ends.
func TestLedgerCommandsEndAtASignal(t *testing.T) {
	t.Parallel()
	for name, flag := range map[string]string{
		"show": "--config.file=", "verify": "--config.file=",
		"compact": "--config.file=", "copy": "--to=new.yaml --from=",
	} {
		pipe := newSite(t).path(name + ".yaml")
		require.NoError(t, unix.Mkfifo(pipe, 0o600))
		cmd := exec.CommandContext(t.Context(), binary(),
			append([]string{"ledger", name}, strings.Fields(flag+pipe)...)...)
		cmd.Env = environment(nil)
		require.NoError(t, cmd.Start())
		writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits until the command opens it
		require.NoError(t, err)
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

// TestRunEndsAtASignalWhileItStarts: a supervisor that stops it while it opens its ledger, here a
// database that doesn't answer, sees no failure.
func TestRunEndsAtASignalWhileItStarts(t *testing.T) {
	t.Parallel()
	database, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = database.Close() })
	config := filepath.Join(t.TempDir(), "config.yaml")
	text := "storage: {postgres: {dsn: \"postgres://cdr@" + database.Addr().String() + "/cdr?sslmode=disable\"}}\n" +
		"sources:\n  - name: wave\n    wavix: {api_key: key, call_log: }\n"
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	cmd := exec.CommandContext(t.Context(), binary(), "run", "--config.file="+config,
		"--web.listen-address=127.0.0.1:0")
	cmd.Env = environment(nil)
	var log strings.Builder
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	if _, err := database.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v, want exit code 0: %s", err, log.String())
	}
}

// TestHelpForAReaderThatLeaves: as in `--help | head`.
func TestHelpForAReaderThatLeaves(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	cmd := exec.CommandContext(t.Context(), binary(), "--help")
	cmd.Stdout = writer
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	require.NoError(t, writer.Close())
}
