package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// terminal is a process on a pseudo-terminal, and what it shows there.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	screen *require.Output
	seen   int // how much of the screen was waited for
}

// onTerminal starts the binary on a pseudo-terminal.
func onTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	raw, err := master.SyscallConn()
	require.NoError(t, err)
	var number int
	if err := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	x := &terminal{
		t: t, master: master, screen: new(require.Output), cmd: exec.CommandContext(t.Context(), binary(), args...),
	}
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr, x.cmd.Env = slave, slave, slave, environment(nil)
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, x.cmd.Start())
	require.NoError(t, slave.Close())
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(x.screen, master) // ends with EIO when the process has closed its side
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.cmd.Wait()
		<-copied
		_ = master.Close()
	})
	return x
}

// answer waits for a text beyond what was waited for before, and types.
func (x *terminal) answer(question, text string) {
	x.t.Helper()
	eventually(x.t, "the question "+question, func() error {
		screen := x.screen.String()
		if at := strings.Index(screen[x.seen:], question); at >= 0 {
			x.seen += at + len(question)
			return nil
		}
		return fmt.Errorf("the screen shows\n%s", screen)
	})
	if _, err := io.WriteString(x.master, text); err != nil {
		x.t.Fatal(err)
	}
}

// echoes says whether the terminal shows what is typed.
func (x *terminal) echoes() (on bool) {
	x.t.Helper()
	raw, err := x.master.SyscallConn()
	require.NoError(x.t, err)
	_ = raw.Control(func(fd uintptr) {
		if mode, err := unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			on = mode.Lflag&unix.ECHO != 0
		}
	})
	return on
}

// answerHidden waits for a question and types, hidden from the moment in which the question appears.
func (x *terminal) answerHidden(question, text string) {
	x.t.Helper()
	x.answer(question, "")
	if x.echoes() {
		x.t.Errorf("the question %q is shown while the terminal shows what is typed", question)
	}
	x.answer("", text)
}

// TestInitAsksAndRuns: init asks on a terminal, repeats a question after a wrong answer, shows no
// secret, and writes it so that only its owner may read it. The written configuration counts calls.
func TestInitAsksAndRuns(t *testing.T) {
	t.Parallel()
	now := time.Now()
	n := newTenant(t, sim.Settings{
		DirectRouting: simulator.NewWorld(simulator.Historical(7, sim.DirectRoutingMix(), now.Add(-20*time.Hour),
			now.Add(-10*time.Hour), 50)),
	})
	file, secret := n.path("init.yaml"), n.path("contoso-client-secret.txt")
	x := onTerminal(t, "init", "--output="+file, "--login-url="+n.BaseURL(), "--graph-url="+n.BaseURL(),
		"--ca-file="+n.path("ca.pem"))
	x.answer("Provider of the account (msgraph, asterisk, cucm, freeswitch, kamailio, "+
		"ringcentral, twilio, wavix, webex, zoom_phone) [msgraph]: ", "teams\n")
	x.answer("enter one of the words in parentheses", "\n")
	x.answer("docs/providers/msgraph.md#set-up", "")
	x.answer("Name of the account", "con toso\n")
	x.answer("must consist of letters, digits, _ and -", "contoso\n")
	x.answer("Credential (client_secret, client_certificate, managed_identity, workload_identity) [client_secret]: ",
		"\n")
	x.answer("Directory (tenant) ID", "common\n")
	x.answer("must name one tenant", sim.TenantID+"\n")
	x.answer("Application (client) ID", "\n")
	x.answer("is missing; give the application (client) id", sim.ClientID+"\n")
	x.answer("Client secret: its value", "\n")
	x.answerHidden("It isn't shown: ", n.ClientSecret+"\n")
	x.answer("Expiry date of the client secret", "2031-03-01\n")
	x.answer("Read pstn", "no\n")
	x.answer("Read direct_routing", "\n")
	x.answer("Read call_records", "no\n")
	x.answer("OpenTelemetry endpoint", "\n")
	x.answer("contoso  msgraph   direct_routing  ok", "")
	x.answer("Next: cdr-exporter run --config.file="+file, "")
	if err := x.cmd.Wait(); err != nil {
		t.Errorf("init: %v", err)
	}
	n.vault.search("the terminal", x.screen.Bytes())
	if info, err := os.Stat(secret); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v", secret, info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "client_secret_file: contoso-client-secret.txt\n") {
		t.Errorf("%v: %s", err, text)
	}

	exporter := start(t, n.vault, launch{config: file}).serving()
	exporter.showsSome("cdr_calls_total", "source=contoso")
	exporter.stop()
}

// TestInitInterrupted: Ctrl-C in a question that hides what is typed ends the command, shows again
// what is typed, and leaves nothing behind.
func TestInitInterrupted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	x := onTerminal(t, "init", "--output="+s.path("init.yaml"))
	x.answer("Provider of the account", "wavix\n")
	x.answer("Name of the account", "\n")
	x.answer("API key of the account", "\n")
	x.answerHidden("It isn't shown: ", "half of a secr")
	x.answer("", "\x03")
	x.answer("interrupted; nothing was written", "")
	_ = x.cmd.Wait()
	if code := x.cmd.ProcessState.ExitCode(); code != 1 || !x.echoes() {
		t.Errorf("exit code %d, want 1; what is typed is shown: %v", code, x.echoes())
	}
	if _, err := os.Stat(s.path("init.yaml")); err == nil {
		t.Error("a configuration was written")
	}
}
