package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	simulated "github.com/cdr-exporter/cdr-exporter/internal/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

type demo struct {
	storage  string
	settings app.Settings
	log      logFlags
}

func newDemo(c *kingpin.CmdClause) command {
	d := &demo{}
	c.Flag("storage.path", "Folder of the demo's ledger; by default a temporary one.").StringVar(&d.storage)
	webFlags(c, &d.settings)
	d.log.define(c)
	return d.run
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
	hook, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	if d.settings.ConfigFile, err = providers.Configure(folder, d.storage, hook); err != nil {
		return err
	}
	d.settings.WebhookAddresses, d.settings.Logger = []string{hook}, d.log.logger(s)
	a, err := app.New(ctx, d.settings)
	if err != nil {
		return err
	}
	address := a.Addr()
	if port, all := strings.CutPrefix(address, "[::]"); all {
		address = "localhost" + port
	}
	fmt.Fprintf(s.out, "Reading a simulated Teams tenant, RingCentral account and Wavix account. "+
		"Open http://%s/ (status) or http://%s%s (metrics). Press Ctrl-C to stop.\n", address, address, d.settings.TelemetryPath)
	return a.Run(ctx)
}
