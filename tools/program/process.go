// Package program builds the exporter and runs programs for a tool.
package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Build builds the exporter of a tree of files.
func Build(ctx context.Context, tree, file string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-C", tree, "-buildvcs=false", "-trimpath", "-o", file,
		"github.com/cdr-exporter/cdr-exporter/cmd/cdr-exporter")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the exporter: %w\n%s", err, output)
	}
	return nil
}

// InFolder makes a temporary folder for work and deletes it afterwards, unless work fails: then the
// error names the folder.
func InFolder(prefix string, work func(folder string) error) error {
	folder, err := os.MkdirTemp("", prefix)
	if err != nil {
		return err
	}
	if err := work(folder); err != nil {
		return fmt.Errorf("%w\nledgers and logs are in %s", err, folder)
	}
	return os.RemoveAll(folder)
}

// Process runs until the context ends. Its output is in a file.
type Process struct {
	Name string
	// Done is closed when it has ended.
	Done chan struct{}

	cmd *exec.Cmd
	err error // once Done is closed
	log string
}

// Start starts a program, which appends its output to a file in the folder.
func Start(ctx context.Context, folder, name, file string, args ...string) (*Process, error) {
	p := &Process{Name: name, Done: make(chan struct{}), log: filepath.Join(folder, name+".log")}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	p.cmd = exec.CommandContext(ctx, file, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 15 * time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.Done)
		p.err = p.cmd.Wait()
		_ = log.Close()
	}()
	return p, nil
}

// Stop ends the process like a service manager, and waits until it has ended.
func (p *Process) Stop() {
	_ = p.cmd.Cancel() // it may have already ended
	<-p.Done
}

// Kill ends the process at once, and waits until it has ended.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.Done
	return err
}

// Ended says why the process has ended; nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.Done:
		return fmt.Errorf("%s ended by itself (%w); its log ends:\n%s", p.Name, p.err, tail(p.log))
	default:
		return nil
	}
}

func tail(file string) string {
	const most = 2000
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
