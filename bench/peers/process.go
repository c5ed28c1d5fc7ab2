package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// peerRun is what a peer's run has: the provider that it reads, the sink of its log records, and its configuration.
type peerRun struct {
	settings
	day      *day
	folder   string // which doesn't exist yet
	provider *provider
	sink     *sink // nil without logs
	env      []string
	config   string
	address  string
}

// run makes what a peer needs, and measures it.
func (p *peer) run(ctx context.Context, x *peerRun) (r result, err error) {
	x.config = p.config
	if x.provider, err = startProvider(x.folder, x.day.rows); err != nil {
		return r, err
	}
	defer x.provider.Close()
	if x.address, err = simulator.FreeAddress(ctx); err != nil {
		return r, err
	}
	x.env = x.provider.env()
	if p.logs {
		if x.sink, err = startSink(); err != nil {
			return r, err
		}
		defer x.sink.close()
		x.env = append(x.env, "PEER_SINK="+x.sink.url, "PEER_OTLP="+x.sink.url)
	}
	err = p.measure(ctx, x, &r)
	return r, err
}

// process is a peer that runs.
type process struct{ *program.Process }

// usage is what a process used from its start to its end.
type usage struct {
	cpu  time.Duration
	peak float64 // MB
}

// start starts a program with only these environment variables. It is killed when the context ends.
func start(ctx context.Context, folder string, env []string, file string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir()}, env...)
	p, err := program.Start(folder, filepath.Base(file), cmd)
	return &process{p}, err
}

// used is what a process has used up to now. Its peak is VmHWM: the maximum of rusage starts with
// the maximum of the parent process.
func (p *process) used() (u usage, err error) {
	found, err := procfs.NewProc(p.Cmd.Process.Pid)
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
	if err = errors.Join(err, p.Stop()); err != nil {
		return usage{}, err
	}
	u.cpu = p.ProcessState.UserTime() + p.ProcessState.SystemTime()
	return u, nil
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
