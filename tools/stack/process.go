package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a part that runs beside us until the context ends. What it says is in a file.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed
	log  string
}

// launch starts a program, whose output goes to the end of a file in the folder.
func launch(ctx context.Context, folder, name, file string, args ...string) (*process, error) {
	p := &process{name: name, done: make(chan struct{}), log: filepath.Join(folder, name+".log")}
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
		defer close(p.done)
		p.err = p.cmd.Wait()
		_ = log.Close()
	}()
	return p, nil
}

// ended says why the process isn't there any more; nil while it is.
func (p *process) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended by itself (%w); its log ends:\n%s", p.name, p.err, tail(p.log))
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
