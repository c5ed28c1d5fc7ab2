package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"go.opentelemetry.io/otel"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// webFlags are the flags of the metrics port.
type webFlags struct {
	addresses     []string
	configFile    string
	telemetryPath string
}

func (w *webFlags) define(c *kingpin.CmdClause) {
	c.Flag("web.listen-address", "Address of the metrics port. Repeatable.").
		Default(":9887").StringsVar(&w.addresses)
	c.Flag("web.config.file", "File with TLS and basic auth of the metrics port (exporter-toolkit).").StringVar(&w.configFile)
	c.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&w.telemetryPath)
}

// webhookFlags are the flags of the listener for notifications.
type webhookFlags struct {
	addresses  []string
	configFile string
}

func (w *webhookFlags) define(c *kingpin.CmdClause) {
	c.Flag("webhook.listen-address", "Address of the listener for providers' notifications. Repeatable. Off by default.").StringsVar(&w.addresses)
	c.Flag("webhook.config.file", "File with TLS of the webhook listener; see --web.config.file.").StringVar(&w.configFile)
}

// logFlags are the flags of the log.
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
	// The exporter reports failures to send itself.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Debug("The OpenTelemetry SDK reports an error.", "err", err)
	}))
	return logger
}

// runCommand is the exporter.
type runCommand struct {
	config string
	web    webFlags
	hook   webhookFlags
	log    logFlags
}

func newRun(c *kingpin.CmdClause) command {
	r := &runCommand{}
	c.Flag("config.file", "Configuration file.").Default("config.yaml").StringVar(&r.config)
	r.web.define(c)
	r.hook.define(c)
	r.log.define(c)
	return r
}

func (r *runCommand) run(ctx context.Context, s streams) error {
	logger := r.log.logger(s)
	logger.Info("Starting cdr-exporter", "version", version.Info(), "build", version.BuildContext())
	settings := r.web.settings(r.config, logger)
	settings.WebhookAddresses, settings.WebhookConfigFile = r.hook.addresses, r.hook.configFile
	a, err := app.New(ctx, settings)
	if err != nil {
		return err
	}
	stop := reloadOnHangup(a)
	defer stop()
	if err := a.Run(ctx); err != nil {
		return err
	}
	logger.Info("Stopped")
	return nil
}

func (w *webFlags) settings(configFile string, logger *slog.Logger) app.Settings {
	return app.Settings{
		ConfigFile: configFile, ListenAddresses: w.addresses, WebConfigFile: w.configFile,
		TelemetryPath: w.telemetryPath, Logger: logger,
	}
}

// reloadOnHangup reloads on SIGHUP until it is stopped. Reload logs its result.
func reloadOnHangup(a *app.App) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hangup:
				_ = a.Reload()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
	}
}

// versionCommand prints the version.
type versionCommand struct{}

func newVersion(*kingpin.CmdClause) command { return versionCommand{} }

func (versionCommand) run(_ context.Context, s streams) error {
	_, err := fmt.Fprintln(s.out, version.Print("cdr_exporter"))
	return err
}
