package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// trunk is the trunk that the page can stop.
const trunk = "sbc1.example.com"

const (
	exporter     = "exporter"
	prometheus   = "prometheus"
	alertmanager = "alertmanager"
)

type stack struct {
	folder    string
	providers *demo.Providers
	programs  programs
	speed     int
	config    string // the exporter's
	// addresses of the exporter's metrics and of its listener for notifications.
	metrics, hook      string
	prometheus, alerts parts.API

	mu                     sync.Mutex                  // guards the fields below
	processes              map[string]*program.Process // by part; without the exporter during its restart
	failedSince, heldSince time.Time
	killed                 int // number of kills of the exporter
}

// readyTimeout is how long a part may take to answer on a slow machine.
const readyTimeout = 5 * time.Minute

// start starts everything, Alertmanager before Prometheus. After an error nothing runs.
func start(ctx context.Context, folder string, speed int, out io.Writer) (_ *stack, err error) {
	s := &stack{folder: folder, speed: speed, processes: map[string]*program.Process{}}
	if s.programs, err = findPrograms(); err != nil {
		return nil, err
	}
	fmt.Fprintln(out, "Building the exporter.")
	s.programs.exporter = filepath.Join(folder, "cdr-exporter")
	if err := program.Build(ctx, ".", s.programs.exporter); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	fmt.Fprintln(out, "Starting the simulated providers, the exporter, Alertmanager and Prometheus.")
	for _, part := range []func(context.Context) error{s.startExporter, s.startAlertmanager, s.startPrometheus} {
		if err = part(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// launch starts a part's process, and waits until it is ready.
func (s *stack) launch(ctx context.Context, part, file string, api parts.API, args ...string) error {
	p, err := program.Start(s.folder, part, program.Command(ctx, file, args...))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.processes[part] = p
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return p.Until(ctx, 200*time.Millisecond, func() error { return api.Ready(ctx) })
}

func (s *stack) startExporter(ctx context.Context) (err error) {
	if s.providers, err = demo.Start(paced(s.speed)); err != nil {
		return err
	}
	for _, address := range []*string{&s.metrics, &s.hook} {
		if *address, err = simulator.FreeAddress(ctx); err != nil {
			return err
		}
	}
	if s.config, err = s.providers.Configure(s.folder, filepath.Join(s.folder, "ledger"), s.hook); err != nil {
		return err
	}
	return s.runExporter(ctx)
}

// runExporter starts or restarts the exporter's process, with its address and its ledger.
func (s *stack) runExporter(ctx context.Context) error {
	return s.launch(ctx, exporter, s.programs.exporter, parts.API{Base: "http://" + s.metrics},
		"run", "--config.file="+s.config, "--web.listen-address="+s.metrics, "--webhook.listen-address="+s.hook)
}

func (s *stack) startAlertmanager(ctx context.Context) error {
	address, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	// No receiver: the page asks Alertmanager itself.
	args, err := parts.WriteAlertmanager(s.folder, address, "http://127.0.0.1:9", s.speed)
	if err != nil {
		return err
	}
	s.alerts = parts.API{Base: "http://" + address}
	return s.launch(ctx, alertmanager, s.programs.alertmanager, s.alerts, args...)
}

func (s *stack) startPrometheus(ctx context.Context) error {
	rules, err := parts.WriteRules(s.folder, s.speed)
	if err != nil {
		return err
	}
	address, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	p := parts.Prometheus{
		Folder: s.folder, Address: address, Job: "cdr-exporter", Target: s.metrics,
		Rules: rules, Alertmanager: s.alerts.Base[len("http://"):],
	}
	args, err := p.Write()
	if err != nil {
		return err
	}
	s.prometheus = parts.API{Base: "http://" + address}
	return s.launch(ctx, prometheus, s.programs.prometheus, s.prometheus, args...)
}

// running says which part has ended by itself.
func (s *stack) running() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.processes[exporter] == nil {
		return errors.New("the exporter is being started again")
	}
	for _, p := range s.processes {
		err = errors.Join(err, p.Ended())
	}
	return err
}

// close ends the providers, and the processes, whose context has ended.
func (s *stack) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.processes {
		_ = p.Stop() // nothing reads what it leaves
	}
	if s.providers != nil {
		s.providers.Close()
	}
}
