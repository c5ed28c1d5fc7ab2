package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	simulated "github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func newDemo(c *kingpin.CmdClause) command {
	storage := c.Flag("storage.path", "Folder of the demo's ledger; default: a temporary one.").String()
	var settings app.Settings
	webFlags(c, &settings)
	newLogger := logFlags(c)
	return func(ctx context.Context, s streams) error {
		settings.Logger = newLogger(s)
		return runDemo(ctx, *storage, settings, s)
	}
}

// runDemo keeps the ledger in a folder; without a name it uses a temporary one.
func runDemo(ctx context.Context, storage string, settings app.Settings, s streams) error {
	folder, err := os.MkdirTemp("", "cdr-exporter-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // temporary: the system removes it too
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
	settings.WebhookAddresses, settings.Demo = []string{hook}, true
	from, to, err := providers.Outage(storage)
	if err != nil {
		return err
	}
	outage := ""
	if to.After(time.Now()) {
		outage = fmt.Sprintf(" The trunk %s fails from %s to %s.", simulated.Trunk, moment(from), moment(to))
	}
	a, err := app.New(ctx, settings)
	if err != nil {
		return err
	}
	address := a.Addr()
	if port, all := strings.CutPrefix(address, "[::]"); all {
		address = "localhost" + port
	}
	page := "http://" + address
	if web.HasTLS(settings.WebConfigFile) {
		page = "https://" + address
	}
	fmt.Fprintf(s.out, "Reading a simulated Teams tenant, RingCentral account, Wavix account and Asterisk. "+
		"Open %s/ (status) or %s%s (metrics). Press Ctrl-C to stop.%s\n", page, page, settings.TelemetryPath, outage)
	now := time.Now()
	callID := providers.Records.First(now.Add(-time.Hour), now.Add(-30*time.Minute), now)
	year, month, _ := now.UTC().Date()
	thisMonth := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	fmt.Fprintf(s.out, "Its configuration is %[2]s. Try from another terminal, while it runs:\n\n"+
		"  %[1]s incident --config.file=%[2]s --source=contoso --trunk=%[3]s --from=10m\n"+
		"  %[1]s records --config.file=%[2]s --source=contoso --feed=direct_routing --from=10m\n"+
		"  %[1]s call --config.file=%[2]s --source=contoso %[4]s\n"+
		"  %[1]s report --config.file=%[2]s --source=contoso --feed=pstn --from=%[5]s --to=%[6]s "+
		"--by=department,month\n\n",
		os.Args[0], settings.ConfigFile, simulated.Trunk, callID, thisMonth.AddDate(0, -1, 0).Format(time.DateOnly),
		thisMonth.Format(time.DateOnly))
	return a.Run(ctx)
}
