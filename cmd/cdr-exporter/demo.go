package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	simulated "github.com/cdr-exporter/cdr-exporter/internal/demo"
)

// demo runs the exporter with simulated providers in the same process.
type demo struct {
	storage string
	web     webFlags
	log     logFlags
}

func newDemo(c *kingpin.CmdClause) command {
	d := &demo{}
	c.Flag("storage.path", "Folder of the demo's ledger; by default a temporary one.").StringVar(&d.storage)
	d.web.define(c)
	d.log.define(c)
	return d
}

func (d *demo) run(ctx context.Context, s streams) error {
	folder, err := os.MkdirTemp("", "cdr-exporter-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder; the system clears it too
	if d.storage == "" {
		d.storage = filepath.Join(folder, "ledger")
	}
	providers, err := simulated.Start(simulated.Settings{})
	if err != nil {
		return err
	}
	defer providers.Close()
	a, err := d.open(ctx, s, folder, providers)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Reading a simulated Teams tenant, RingCentral account and Wavix account. "+
		"Open http://%s/ (status) or http://%s%s (metrics). Press Ctrl-C to stop.\n",
		reachable(a.Addr()), reachable(a.Addr()), d.web.telemetryPath)
	return a.Run(ctx)
}

// open makes the exporter, with a listener for the tenant's notifications.
func (d *demo) open(ctx context.Context, s streams, folder string, providers *simulated.Providers) (*app.App, error) {
	const tries = 3 // another process may take the port meanwhile
	for n := 1; ; n++ {
		hook, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		file, err := providers.Configure(folder, d.storage, hook)
		if err != nil {
			return nil, err
		}
		settings := d.web.settings(file, d.log.logger(s))
		settings.WebhookAddresses = []string{hook}
		a, err := app.New(ctx, settings)
		if n == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return a, err
		}
	}
}

// freeAddress is an unused loopback address, which the configuration must name before the listener exists.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port for notifications: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// reachable is an address for a browser on this machine.
func reachable(address string) string {
	if rest, all := strings.CutPrefix(address, "[::]"); all {
		return "localhost" + rest
	}
	return address
}
