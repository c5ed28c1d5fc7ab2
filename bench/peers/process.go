package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// process is a peer that runs.
type process struct {
	cmd   *exec.Cmd
	log   string // the file with its output
	done  chan struct{}
	began time.Time
}

// usage is what a process used from its start to its end.
type usage struct {
	cpu  time.Duration
	peak float64 // MB
}

// start starts a program with only these environment variables. It appends its log to a file in the
// folder. The program is killed when the context ends.
func start(ctx context.Context, folder string, env []string, program string, args ...string) (*process, error) {
	p := &process{
		cmd: exec.CommandContext(ctx, program, args...), log: filepath.Join(folder, "log.txt"),
		done: make(chan struct{}), began: time.Now(),
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // stop looks at its state
	}()
	return p, nil
}

// used is what a process has used up to now. Its peak is VmHWM: the maximum of rusage starts with
// the maximum of the parent process.
func (p *process) used() (u usage, err error) {
	found, err := procfs.NewProc(p.cmd.Process.Pid)
	if err != nil {
		return u, err
	}
	status, statusErr := found.NewStatus()
	stat, statErr := found.Stat()
	return usage{cpu: time.Duration(stat.CPUTime() * float64(time.Second)), peak: float64(status.VmHWM) / (1 << 20)},
		errors.Join(statusErr, statErr)
}

// stop ends a process like a service manager and returns its usage.
func (p *process) stop() (usage, error) {
	u, err := p.used()
	if err == nil {
		err = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		p.kill()
		return usage{}, fmt.Errorf("%w; its log ends:\n%s", err, p.tail())
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.kill()
		return usage{}, errors.New("it didn't end within a minute")
	}
	state := p.cmd.ProcessState
	if !state.Success() {
		return usage{}, fmt.Errorf("%s; its log ends:\n%s", state, p.tail())
	}
	u.cpu = state.UserTime() + state.SystemTime()
	return u, nil
}

// kill ends a process that may already have ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

func (p *process) tail() string {
	log, _ := os.ReadFile(p.log) // without a log there is nothing to show
	return string(log[max(0, len(log)-2000):])
}

// until checks a condition at an interval, until it is true, or the context or the process ends.
func (p *process) until(ctx context.Context, every time.Duration, what string, reached func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	for {
		ok, err := reached()
		if ok {
			return nil
		}
		last = err
		select {
		case <-p.done:
			return fmt.Errorf("%s: the process ended by itself; its log ends:\n%s", what, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (%w); its log ends:\n%s", what, ctx.Err(), last, p.tail())
		case <-tick.C:
		}
	}
}

// get reads a page of a peer.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// sumOf adds the values of the series of a scrape that begin with one text and contain another.
func sumOf(scrape []byte, begin, part string) (sum int) {
	for line := range strings.Lines(string(scrape)) {
		if !strings.HasPrefix(line, begin) || !strings.Contains(line, part) {
			continue
		}
		fields := strings.Fields(line[strings.LastIndexByte(line, '}')+1:])
		if len(fields) > 0 {
			value, _ := strconv.ParseFloat(fields[0], 64) // we have no values other than numbers
			sum += int(value)
		}
	}
	return sum
}

// sizeOf is the size of the files in a ledger's folder, as the disk allocates it, without the
// reserve, which doesn't grow with the ids.
func sizeOf(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "reserve" {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			size += stat.Blocks * 512
		}
		return nil
	})
	return size, err
}

// ownCPU is the processor time of this process up to now.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
