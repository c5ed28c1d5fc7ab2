package main_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// exporter is a process of the binary.
type exporter struct {
	t      testing.TB
	cmd    *exec.Cmd
	log    *require.Output // stderr
	out    *require.Output // stdout
	vault  *vault
	done   chan struct{}
	exit   int // once done is closed
	client *client
	logs   bool // stderr is a log
}

// launch says how a process is started.
type launch struct {
	config string // run --config.file; empty: args say it all
	args   []string
	env    map[string]string
	// raced takes the binary with the race detector, if there is one.
	raced  bool
	client client // of the metrics port; its base is found by itself
}

// start starts the binary. At the end its output is searched for secrets; it must be stopped by
// then.
func start(t testing.TB, v *vault, l launch) *exporter {
	t.Helper()
	x := &exporter{
		t: t, log: new(require.Output), out: new(require.Output), vault: v, done: make(chan struct{}),
		client: &l.client,
	}
	args := l.args
	if x.logs = l.config != ""; x.logs {
		args = append([]string{"run", "--config.file=" + l.config, "--web.listen-address=127.0.0.1:0"}, l.args...)
	}
	program := binary
	if l.raced {
		program = racedBinary
	}
	x.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program(), args...)
	x.cmd.Env = environment(l.env)
	x.cmd.Stdout, x.cmd.Stderr = x.out, x.log
	x.cmd.WaitDelay = 10 * time.Second
	if err := x.cmd.Start(); err != nil {
		t.Fatalf("start the binary: %v", err)
	}
	go x.wait()
	t.Cleanup(x.clean)
	return x
}

// raceOptions make a race fatal, and the end of a process quick.
const raceOptions = "halt_on_error=1 exitcode=66 atexit_sleep_ms=0"

// environment is a process's: without proxies and OTEL_ variables of the machine,
// with the ledger's invariants checked and races fatal. Heaps are small, so garbage is collected seldom.
func environment(more map[string]string) []string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": os.TempDir(), "TMPDIR": os.TempDir(),
		"CDR_LEDGER_VERIFY": "1", "GORACE": raceOptions, "GOGC": "400",
	}
	maps.Copy(env, more)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return slices.Sorted(slices.Values(list))
}

func (x *exporter) wait() {
	defer close(x.done)
	err := x.cmd.Wait()
	x.exit = x.cmd.ProcessState.ExitCode()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		fmt.Fprintf(x.log, "harness: wait: %v\n", err)
	}
}

// clean ends a process that a failed test left, and searches what it wrote.
func (x *exporter) clean() {
	select {
	case <-x.done:
	default:
		if !x.t.Failed() {
			x.t.Errorf("the test ended while the exporter was running")
		}
		_ = x.cmd.Process.Kill()
		<-x.done
	}
	x.client.close()
	x.vault.search("stdout", x.out.Bytes())
	x.vault.search("stderr", x.log.Bytes())
	for line := range strings.Lines(x.log.String()) {
		// A library that writes to stderr by itself goes past the format, the level and whatever
		// keeps secrets out of the log.
		if x.logs && !strings.HasPrefix(line, "time=") && !strings.HasPrefix(line, "cdr-exporter: ") {
			x.t.Errorf("stderr has a line that isn't the log's: %s", line)
			break
		}
	}
	if strings.Contains(x.log.String(), "DATA RACE") {
		x.t.Errorf("the race detector found a race:\n%s", x.log)
	} else if x.t.Failed() {
		x.t.Logf("the exporter's log ends:\n%s", x.log.Tail())
	}
}

// running fails if the process has ended.
func (x *exporter) running() {
	x.t.Helper()
	select {
	case <-x.done:
		x.t.Fatalf("the exporter ended by itself with exit code %d", x.exit)
	default:
	}
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// addresses are those that it listens on, as far as it has said so.
func (x *exporter) addresses() []string {
	var all []string
	for _, match := range listening.FindAllStringSubmatch(x.log.String(), -1) {
		all = append(all, match[1])
	}
	return all
}

// serving waits until the metrics port answers.
func (x *exporter) serving() *exporter {
	x.t.Helper()
	eventually(x.t, "listen on the metrics port", func() error {
		x.running()
		if len(x.addresses()) == 0 {
			return errors.New("no address in the log")
		}
		return nil
	})
	x.client.attach(x, x.addresses()[0])
	eventually(x.t, "answer on /-/healthy", func() error {
		x.running()
		_, err := x.client.get("/-/healthy")
		return err
	})
	return x
}

// ready waits until every history has been read or has failed.
func (x *exporter) ready() *exporter {
	x.t.Helper()
	x.serving()
	eventually(x.t, "be ready", func() error {
		x.running()
		_, err := x.client.get("/-/ready")
		return err
	})
	return x
}

// signal sends a signal.
func (x *exporter) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatalf("send %s: %v", s, err)
	}
}

// exited waits for the end of the process and expects an exit code.
func (x *exporter) exited(code int) {
	x.t.Helper()
	select {
	case <-x.done:
	case <-time.After(waitTimeout):
		x.t.Fatalf("the exporter didn't end within %s", waitTimeout)
	}
	if x.exit != code {
		x.t.Fatalf("the exporter ended with exit code %d, want %d", x.exit, code)
	}
}

// stop ends the process as a service manager does.
func (x *exporter) stop() {
	x.t.Helper()
	x.signal(syscall.SIGTERM)
	x.exited(0)
}

// kill ends the process without any warning, and waits until it is gone.
func (x *exporter) kill() {
	x.t.Helper()
	x.signal(syscall.SIGKILL)
	x.exited(-1)
}

// logged waits for a line in the log that holds all of these texts, and returns it.
func (x *exporter) logged(texts ...string) string {
	x.t.Helper()
	var found string
	eventually(x.t, fmt.Sprintf("log %q", texts), func() error {
		found = lineWith(x.log.String(), texts...)
		if found == "" {
			return errors.New("no such line")
		}
		return nil
	})
	return found
}

// loggedTimes waits until the log has as many such lines.
func (x *exporter) loggedTimes(times int, texts ...string) {
	x.t.Helper()
	eventually(x.t, fmt.Sprintf("log %q %d times", texts, times), func() error {
		if got := len(linesWith(x.log.String(), texts...)); got < times {
			return fmt.Errorf("%d lines", got)
		}
		return nil
	})
}

// lineWith is the first line that holds all of the texts, empty if none does.
func lineWith(text string, parts ...string) string {
	if lines := linesWith(text, parts...); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// linesWith are the lines that hold all of the texts.
func linesWith(text string, parts ...string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		missing := slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(line, p) })
		if !missing {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

const (
	// waitTimeout is the time limit for slow machines. A test that passes never waits that long.
	waitTimeout = 5 * time.Minute
	// firstPause is between the first two looks at a condition, longestPause between later ones:
	// each look at the metrics costs as much as a scrape.
	firstPause   = 10 * time.Millisecond
	longestPause = 300 * time.Millisecond
)

// eventually waits until check returns no error. what describes the wait; check returns what is
// still missing.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	pause := time.NewTimer(firstPause)
	defer pause.Stop()
	begin := time.Now()
	for next := firstPause; ; next = min(next*3/2, longestPause) {
		looked := time.Now()
		err := check()
		if err == nil {
			return
		}
		if time.Since(begin) > waitTimeout {
			t.Fatalf("%s: not within %s: %v", what, waitTimeout, err)
		}
		// A tenth of the time at most goes into looks: what is waited for needs the cores too.
		pause.Reset(max(next, 9*time.Since(looked)))
		<-pause.C
	}
}
