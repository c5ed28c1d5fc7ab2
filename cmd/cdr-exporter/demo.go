package main

import (
	"cmp"
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

func newDemo(c *kingpin.CmdClause) command {
	storage := c.Flag("storage.path", "Folder of the demo's ledger; by default a temporary one.").String()
	var settings app.Settings
	webFlags(c, &settings)
	newLogger := logFlags(c)
	return func(ctx context.Context, s streams) error {
		settings.Logger = newLogger(s)
		return runDemo(ctx, *storage, settings, s)
	}
}

// runDemo keeps the ledger in a folder; without a name it is a temporary one.
func runDemo(ctx context.Context, storage string, settings app.Settings, s streams) error {
	folder, err := os.MkdirTemp("", "cdr-exporter-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder; the system clears it too
	storage = cmp.Or(storage, filepath.Join(folder, "ledger"))
	providers, err := simulated.Start(simulated.Settings{})
	if err != nil {
		return err
	}
	defer providers.Close()
	hook, err := simulator.FreeAddress(ctx)
	if err != nil {
		return err
	}
	if settings.ConfigFile, err = providers.Configure(folder, storage, hook); err != nil {
		return err
	}
	settings.WebhookAddresses = []string{hook}
	a, err := app.New(ctx, settings)
	if err != nil {
		return err
	}
	address := a.Addr()
	if port, all := strings.CutPrefix(address, "[::]"); all {
		address = "localhost" + port
	}
	fmt.Fprintf(s.out, "Reading a simulated Teams tenant, RingCentral account and Wavix account. "+
		"Open http://%s/ (status) or http://%s%s (metrics). Press Ctrl-C to stop.\n", address, address, settings.TelemetryPath)
	return a.Run(ctx)
}
