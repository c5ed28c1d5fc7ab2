// Package program runs a tool, builds the exporter for it, and runs programs.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Main runs a tool until it ends, or until a signal ends its context, and then the process. A second
// signal ends it at once.
func Main(name string, run func(ctx context.Context, args []string, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1) //nolint:revive // it is the main function of tools
	}
}

// Get reads a page of a process on this machine. It keeps no connection, because the process may end soon.
func Get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return body, err
}

// Serve serves pages until the context ends, after it has printed where, by a format of the address.
func Serve(ctx context.Context, address string, pages http.Handler, out io.Writer, where string) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for the pages: %w", err)
	}
	server := &http.Server{Handler: pages, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	fmt.Fprintf(out, where, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the pages: %w", err)
	}
	return nil
}

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

// Process is a program that was started. Its output is in a file.
type Process struct {
	*exec.Cmd

	Name string
	// Began is when it was started, Done is closed when it has ended.
	Began time.Time
	Done  chan struct{}

	log string
}

// Command is a command that ends like a service when the context does.
func Command(ctx context.Context, file string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	return cmd
}

// Start starts a command, which appends its output to the file NAME.log in the folder.
func Start(folder, name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{
		Cmd: cmd, Name: name, Began: time.Now(), Done: make(chan struct{}), log: filepath.Join(folder, name+".log"),
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.Done)
		_ = cmd.Wait() // its state says how it ended
	}()
	return p, nil
}

// longestEnd is how long a process may take to end.
const longestEnd = 3 * time.Minute

// Stop ends the process like a service manager, and waits until it has ended.
func (p *Process) Stop() error {
	_ = p.Process.Signal(syscall.SIGTERM) // it may have ended: its state says how
	select {
	case <-p.Done:
	case <-time.After(longestEnd):
		p.Kill()
	}
	if !p.ProcessState.Success() {
		return p.Problem("didn't end as it should after SIGTERM")
	}
	return nil
}

// Kill ends the process at once, and waits until it has ended.
func (p *Process) Kill() {
	_ = p.Process.Kill() // it may have ended
	<-p.Done
}

// Until checks a condition at an interval, until it returns no error, or the context or the process ends.
func (p *Process) Until(ctx context.Context, every time.Duration, reached func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := reached()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done:
			return p.Ended()
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w (%w)", p.Name, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Ended says why the process has ended; nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.Done:
		return p.Problem("ended by itself")
	default:
		return nil
	}
}

// Problem is an error of a process that has ended, with the end of its log.
func (p *Process) Problem(what string) error {
	text, err := os.ReadFile(p.log)
	return errors.Join(fmt.Errorf("%s %s (%s); its log ends:\n%s", p.Name, what, p.ProcessState,
		text[max(0, len(text)-2000):]), err)
}
