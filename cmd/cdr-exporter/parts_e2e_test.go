//go:build e2e

package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// part is a process of another project's binary, from the folder that CDR_TOOLS_BIN
// names; `make tools` builds them.
type part struct {
	t    testing.TB
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
	err  error // once done is closed
}

// tool is the name of a binary in CDR_TOOLS_BIN.
func tool(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), name)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must name a folder with %s: run `make e2e`: %v", name, err)
	}
	return file
}

// startPart starts a binary. The test stops it.
func startPart(t testing.TB, name string, args ...string) *part {
	t.Helper()
	return startProgram(t, name, tool(t, name), args...)
}

// startProgram is startPart for a file that is elsewhere.
func startProgram(t testing.TB, name, file string, args ...string) *part {
	t.Helper()
	p := &part{t: t, log: new(output), done: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), file, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.WaitDelay = 10 * time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the log of %s ends:\n%s", name, p.log.tail())
		}
	})
	return p
}

// stop ends the process as a service manager does, if it hasn't ended.
func (p *part) stop() {
	p.t.Helper()
	select {
	case <-p.done:
		return
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("stop %s: %v", p.cmd.Path, err)
	}
	select {
	case <-p.done:
	case <-time.After(waitTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
		p.t.Errorf("%s didn't end within %s", p.cmd.Path, waitTimeout)
	}
}

// running fails if the process has ended.
func (p *part) running() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Fatalf("%s ended by itself: %v\n%s", p.cmd.Path, p.err, p.log.tail())
	default:
	}
}
