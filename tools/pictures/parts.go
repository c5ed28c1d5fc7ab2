package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// family are the programs that were started, and the folder that they write to.
type family struct {
	folder string
	cancel context.CancelCauseFunc
	living sync.WaitGroup
}

// newFamily is an empty one. Its context ends with the first of its programs, which then
// is the cause.
func newFamily(ctx context.Context) (*family, context.Context) {
	f := &family{}
	ctx, f.cancel = context.WithCancelCause(ctx)
	return f, ctx
}

// end ends all programs, waits for them and removes what they wrote.
func (f *family) end() {
	f.cancel(errors.New("all pictures are made"))
	f.living.Wait()
	if f.folder != "" {
		os.RemoveAll(f.folder) //nolint:errcheck // A temporary folder; the system clears it too.
	}
}

// add starts a program, which is asked to end when the context does.
func (f *family) add(ctx context.Context, out io.Writer, program string, args ...string) error {
	command := exec.CommandContext(ctx, program, args...)
	command.Stdout, command.Stderr = out, io.Discard
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 15 * time.Second
	name := filepath.Base(program)
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	f.living.Go(func() {
		err := command.Wait()
		f.cancel(fmt.Errorf("%s ended before the pictures were made: %w", name, errors.Join(err, errEnded)))
	})
	return nil
}

// errEnded is why a program that ended well is an error too.
var errEnded = errors.New("it should run until it is told to end")

// start starts the demo and Prometheus, and waits until there is enough to see.
func (s *settings) start(ctx context.Context, f *family) error {
	var err error
	if f.folder, err = os.MkdirTemp("", "cdr-exporter-pictures-"); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "starting the demo and Prometheus")
	if s.exporter, err = f.demo(ctx); err != nil {
		return err
	}
	if err := ready(ctx, s.exporter); err != nil {
		return err
	}
	if s.prometheus, err = f.prometheus(ctx, s.exporter); err != nil {
		return err
	}
	if err := ready(ctx, s.prometheus); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "watching for %s\n", warmUp+shown)
	return wait(ctx, warmUp+shown)
}

// demo builds the program and starts its demo. It returns its address.
func (f *family) demo(ctx context.Context) (string, error) {
	binary := filepath.Join(f.folder, "cdr-exporter")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false",
		"-ldflags=-X github.com/prometheus/common/version.Version=dev", "-o", binary, "./cmd/cdr-exporter")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program (in the repository's root?): %w\n%s", err, out)
	}
	said, saying := io.Pipe()
	if err := f.add(ctx, saying, binary, "demo", "--web.listen-address=127.0.0.1:0"); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { saying.CloseWithError(context.Cause(ctx)) })
	defer stop()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return "", err
	}
	go io.Copy(io.Discard, said) //nolint:errcheck // So that the demo can go on saying things.
	address := regexp.MustCompile(`http://\S+/`).FindString(line)
	if address == "" {
		return "", fmt.Errorf("the demo doesn't say where to look: %q", line)
	}
	return address, nil
}

// prometheus starts one that scrapes the exporter. It returns its address.
func (f *family) prometheus(ctx context.Context, exporter string) (string, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf(`global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
  - job_name: cdr-exporter
    scrape_native_histograms: true
    static_configs: [{targets: [%q], labels: {instance: demo}}]
`, regexp.MustCompile(`[^/]+:\d+`).FindString(exporter))
	config := filepath.Join(f.folder, "prometheus.yml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return "", err
	}
	return "http://" + address + "/", f.add(ctx, io.Discard, filepath.Join(toolsBin(), "prometheus"),
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(f.folder, "data"), "--web.listen-address="+address,
		"--enable-feature=created-timestamp-zero-ingestion")
}

// toolsBin is where make puts Prometheus.
func toolsBin() string {
	if folder := os.Getenv("CDR_TOOLS_BIN"); folder != "" {
		return folder
	}
	return filepath.Join(".tools", "bin")
}

// freeAddress is an address on this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// ready waits until who listens at an address says that it is ready.
func ready(ctx context.Context, address string) error {
	within, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("%s isn't ready after two minutes", address))
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(within, http.MethodGet, address+"-/ready", http.NoBody)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := wait(within, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// wait waits, unless the context ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
