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
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

func webFlags(c *kingpin.CmdClause, to *app.Settings) {
	c.Flag("web.listen-address", "Address of the metrics port. Repeatable.").
		Default(":9887").StringsVar(&to.ListenAddresses)
	c.Flag("web.config.file", "File with TLS and basic auth of the metrics port (exporter-toolkit).").StringVar(&to.WebConfigFile)
	c.Flag("web.telemetry-path", "Path of the metrics.").Default(web.DefaultMetricsPath).StringVar(&to.TelemetryPath)
}

type logFlags struct{ config promslog.Config }

func (l *logFlags) define(c *kingpin.CmdClause) {
	l.config.Level, l.config.Format = promslog.NewLevel(), promslog.NewFormat()
	c.Flag(promslogflag.LevelFlagName, promslogflag.LevelFlagHelp).Default("info").
		HintOptions(promslog.LevelFlagOptions...).SetValue(l.config.Level)
	c.Flag(promslogflag.FormatFlagName, promslogflag.FormatFlagHelp).Default("logfmt").
		HintOptions(promslog.FormatFlagOptions...).SetValue(l.config.Format)
}

func (l *logFlags) logger(s streams) *slog.Logger {
	l.config.Writer = s.errors
	logger := promslog.New(&l.config)
	// The exporter reports failures to send, and what is wrong with OTEL_ variables, itself. The SDK would write both to stderr, and values of
	// variables may be secret.
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Debug("The OpenTelemetry SDK reports an error.", "err", err)
	}))
	return logger
}

type runCommand struct {
	settings app.Settings
	log      logFlags
}

func newRun(c *kingpin.CmdClause) command {
	r := &runCommand{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&r.settings.ConfigFile)
	webFlags(c, &r.settings)
	c.Flag("webhook.listen-address", "Address of the listener for providers' notifications. Repeatable. Off by default.").
		StringsVar(&r.settings.WebhookAddresses)
	c.Flag("webhook.config.file", "File with TLS of the webhook listener; see --web.config.file.").StringVar(&r.settings.WebhookConfigFile)
	r.log.define(c)
	return r.run
}

func (r *runCommand) run(ctx context.Context, s streams) error {
	logger := r.log.logger(s)
	logger.Info("Starting cdr-exporter", "version", version.Info(), "build", version.BuildContext())
	r.settings.Logger = logger
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // from here on it doesn't end the process
	a, err := app.New(ctx, r.settings)
	if _, missing := os.Stat(r.settings.ConfigFile); err != nil && errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("%w; `cdr-exporter demo` runs without a configuration", err)
	}
	if err != nil {
		return err
	}
	go func() {
		for range hangup {
			_ = a.Reload() // it logs its result
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
