package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-logr/logr"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"go.opentelemetry.io/otel"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
)

func webFlags(c *kingpin.CmdClause, to *app.Settings) {
	c.Flag("web.listen-address", "Address of the metrics port. Repeatable.").
		Default(":9887").StringsVar(&to.ListenAddresses)
	c.Flag("web.config.file", "File with TLS and basic auth of the metrics port (exporter-toolkit).").
		StringVar(&to.WebConfigFile)
	c.Flag("web.telemetry-path", "Path of the metrics.").Default(web.DefaultMetricsPath).StringVar(&to.TelemetryPath)
}

// logFlags defines the flags of the log, and returns a function that makes the logger.
func logFlags(c *kingpin.CmdClause) func(streams) *slog.Logger {
	config := &promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat()}
	c.Flag(promslogflag.LevelFlagName, promslogflag.LevelFlagHelp).Default("info").
		HintOptions(promslog.LevelFlagOptions...).SetValue(config.Level)
	c.Flag(promslogflag.FormatFlagName, promslogflag.FormatFlagHelp).Default("logfmt").
		HintOptions(promslog.FormatFlagOptions...).SetValue(config.Format)
	return func(s streams) *slog.Logger {
		config.Writer = s.errors
		logger := promslog.New(config)
		// The exporter reports failures and wrong OTEL_ variables itself. The SDK would write them
		// to stderr, with values that may be secret.
		otel.SetLogger(logr.Discard())
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
			logger.Debug("The OpenTelemetry SDK reported an error", "err", err)
		}))
		return logger
	}
}

func newRun(c *kingpin.CmdClause) command {
	var settings app.Settings
	c.Flag("config.file", "Configuration file; its storage.path says where the ledger is.").Default("config.yaml").
		StringVar(&settings.ConfigFile)
	webFlags(c, &settings)
	c.Flag("webhook.listen-address", "Address of the listener for providers' notifications. Repeatable. Default: off.").
		StringsVar(&settings.WebhookAddresses)
	c.Flag("webhook.config.file", "File with TLS of the webhook listener; see --web.config.file.").
		StringVar(&settings.WebhookConfigFile)
	newLogger := logFlags(c)
	return func(ctx context.Context, s streams) error { return runExporter(ctx, settings, newLogger(s)) }
}

func runExporter(ctx context.Context, settings app.Settings, logger *slog.Logger) error {
	logger.Info("Starting cdr-exporter", "version", version.Info(), "build", version.BuildContext())
	settings.Logger = logger
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // from now on it doesn't end the process
	a, err := app.New(ctx, settings)
	if err != nil && ctx.Err() != nil { // stopped by a supervisor during the start, which isn't a failure
		logger.Info("Stopped while starting", "err", err)
		return nil
	}
	if _, missing := os.Stat(settings.ConfigFile); err != nil && errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("%w; `cdr-exporter demo` runs without a configuration", err)
	}
	if err != nil {
		return err
	}
	go func() {
		for range hangup {
			_ = a.Reload() // Reload logs its result
		}
	}()
	defer close(hangup)
	defer signal.Stop(hangup)
	if err := a.Run(ctx); err != nil {
		return err
	}
	logger.Info("Stopped")
	return nil
}

func newVersion(*kingpin.CmdClause) command {
	return func(_ context.Context, s streams) error {
		_, err := fmt.Fprintln(s.out, version.Print("cdr_exporter"))
		return err
	}
}
