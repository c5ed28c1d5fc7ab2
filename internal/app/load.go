package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/labels"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// load reads and checks the configuration. It builds nothing.
func (a *App) load() (*running, error) {
	c, all, err := LoadConfig(a.settings, true)
	if err != nil {
		return nil, err
	}
	r := &running{config: c, providers: all}
	parameters, rulesErr := rules.Load(string(c.RulesFile), nil)
	if rulesErr == nil {
		r.thresholds = parameters.Thresholds
	}
	var sendingErr, labelsErr, keyErr error
	if r.sending, sendingErr = a.settings.sending(c.OTLP); r.sending != nil {
		for _, s := range []*config.OTLPSignal{&r.sending.Logs, &r.sending.Metrics, &r.sending.Traces} {
			ca, _ := os.ReadFile(string(s.TLSConfig.CAFile)) // newDelivery reports an error
			r.trusted = append(r.trusted, string(ca))
		}
	}
	r.labelFiles = labels.Settled(c.Labels)
	if r.labels, labelsErr = labels.Load(c.Labels); labelsErr != nil {
		labelsErr = &labelsError{labelsErr}
	}
	r.hashKey, keyErr = HashKey(context.Background(), c)
	return r, errors.Join(rulesErr, sendingErr, labelsErr, keyErr)
}

// sending is the settings of what is sent. The environment only affects endpoints.
func (s *Settings) sending(o *config.OTLP) (*config.OTLPSettings, error) {
	if s.Pipelines == nil {
		return config.ResolveOTLP(o, os.Getenv)
	}
	if o == nil {
		o = new(config.OTLP)
		o.SetDefaults()
	}
	resolved, err := config.ResolveOTLP(o, func(string) string { return "" })
	if err == nil {
		resolved.Logs.Enabled, resolved.Metrics.Enabled, resolved.Traces.Enabled = s.Pipelines["logs"] != nil,
			s.Pipelines["metrics"] != nil, s.Pipelines["traces"] != nil
	}
	return resolved, err
}

// Check reports every problem of a configuration that New would report, except problems with its
// listeners and its ledger. It sends no request.
func Check(s Settings) error {
	a := &App{settings: s}
	r, err := a.load()
	if err != nil {
		return err
	}
	defer r.close()
	_, err = Storage(r.config)
	errs := []error{err}
	if r.sending != nil {
		_, logs := r.sending.Logs.TLSConfig.Client("otlp.tls_config")
		_, sent := r.sending.Metrics.TLSConfig.Client("otlp.tls_config")
		_, traced := r.sending.Traces.TLSConfig.Client("otlp.tls_config")
		errs = append(errs, cmp.Or(logs, sent, traced))
	}
	for i := range r.config.Sources {
		c := &r.config.Sources[i]
		opened, err := OpenSource(c, r.providers, SourceSettings(c, &a.quotas))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.sources = append(r.sources, &source{config: c, opened: opened})
	}
	if err := errors.Join(append(errs, a.makeHooks(r))...); err != nil {
		return fmt.Errorf("%s: %w", s.ConfigFile, err)
	}
	return nil
}

// HashKey is privacy.hash_key, or nil. A newline at the end of its file isn't part of the key.
func HashKey(ctx context.Context, c *config.Config) ([]byte, error) {
	key, err := c.Privacy.HashKey.Value(ctx)
	if err != nil {
		return nil, fmt.Errorf("read privacy.hash_key: %w", err)
	}
	if key == "" {
		return nil, nil
	}
	return []byte(key), nil
}

// ConfigOptions make the configuration accept the blocks of these providers, and check that every
// file that it names is readable.
func ConfigOptions(providers []collector.Provider) config.Options {
	known := make(map[string]func() any, len(providers))
	for _, p := range providers {
		known[p.Name] = p.NewConfig
	}
	return config.Options{Providers: known, CheckFiles: true, TakenLabels: takenLabels()}
}

// takenLabels are the labels of the metrics, those that Prometheus adds, and the columns of `report`.
func takenLabels() []string {
	taken := []string{
		"job", "instance", "le", "quantile", "day", "month", "calls", "connected", "minutes", "charges",
	}
	for _, d := range metrics.Catalogue() {
		taken = append(taken, d.LabelNames()...)
	}
	return taken
}

func (r *running) metricOptions() metrics.Options {
	m := r.config.Metrics
	return metrics.Options{
		ZeroFor: m.ZeroFor, SeriesLimit: m.SeriesLimit,
		Native: m.NativeHistograms,
	}
}

// tuning is the part of the ledger's settings that can change while it is open.
func (r *running) tuning() ledger.Tuning {
	t := ledger.Tuning{Privacy: Policy(r.config.Privacy), HashKey: r.hashKey}
	s := r.sending
	if s == nil || !s.Logs.Enabled && !s.Traces.Enabled {
		return t
	}
	t.OutboxLimit, t.SkipLogs, t.TracesHistory = s.OutboxLimit, s.OutboxFull == config.OutboxSkipLogs, s.TracesHistory
	encoder := otlp.Encoder{Observed: s.LogTimestamp == config.LogTimestampObserved}
	if s.Logs.Enabled {
		t.Encoder = encoder
	}
	if s.Traces.Enabled {
		t.Tracer = encoder
	}
	return t
}

func (a *App) ledgerSettings(r *running, where ledger.Storage) ledger.Settings {
	return ledger.Settings{
		Storage: where, Now: a.settings.Now, Options: r.metricOptions(), Tuning: r.tuning(),
		OnCommit:   func(took time.Duration) { a.selfMetrics.Observe(metrics.CommitDuration, took) },
		OnReplaced: a.ledgerReplaced, Shows: func() bool { return a.owners.holds() },
		OnSkip: func(records, spans int) {
			a.countRecords("skipped", records)
			a.countSpans("skipped", spans)
		},
	}
}

// Storage is the place of a configuration's ledger.
func Storage(c *config.Config) (ledger.Storage, error) {
	p := c.Storage.Postgres
	if p == nil {
		return ledger.Storage{Folder: c.Storage.Path}, nil
	}
	client, err := p.TLSConfig.Client("storage.postgres.tls_config")
	return ledger.Storage{Postgres: &ledger.Postgres{DSN: p.DSN.Value, TLS: client}}, err
}

// storage is Storage for a process that counts. A replica gets a name that no other process has or
// had.
func (s *Settings) storage(c *config.Config) (ledger.Storage, error) {
	where, err := Storage(c)
	if err != nil || where.Postgres == nil {
		return where, err
	}
	host, err := os.Hostname()
	if err != nil {
		return where, fmt.Errorf("name this replica: %w", err)
	}
	where.Postgres.Replica = host + "-" + strings.ToLower(rand.Text()[:8])
	where.Postgres.Address = c.Storage.Postgres.Address
	if where.Postgres.Address == "" && len(s.ListenAddresses) > 0 {
		where.Postgres.Address = statusPage(s.ListenAddresses[0], host, web.HasTLS(s.WebConfigFile))
	}
	return where, nil
}

// statusPage is the URL of the status page at a listen address, as another host may reach it, or
// empty.
func statusPage(listen, hostname string, tls bool) string {
	host, port, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	if err != nil || port == "0" || ip.IsLoopback() {
		return ""
	}
	if host == "" || ip.IsUnspecified() {
		host = hostname
	}
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port) + "/"
}

// countRecords counts log records by result.
func (a *App) countRecords(result string, n int) {
	a.selfMetrics.Add(metrics.OTLPRecords, int64(n), result)
}

// countSpans counts spans by result.
func (a *App) countSpans(result string, n int) {
	a.selfMetrics.Add(metrics.OTLPSpans, int64(n), result)
}

// Policy is the configured redaction. Its values are already validated.
func Policy(p config.Privacy) cdr.Policy {
	mode := func(word string) cdr.Mode {
		if word == config.PrivacySubnet {
			return cdr.Mask
		}
		m, _ := cdr.ParseMode(word) // an unknown word means drop
		return m
	}
	return cdr.Policy{Numbers: mode(p.Numbers), Users: mode(p.Users), Addresses: mode(p.Addresses)}
}

// SourceSettings are the settings of a configured source, which shares quotas with other sources of
// the same credential.
func SourceSettings(s *config.Source, quotas *httpclient.Quotas) collector.SourceSettings {
	return collector.SourceSettings{
		Settings: httpclient.Settings{
			TLS: *s.TLSConfig.Prometheus(), ProxyURL: s.ProxyURL.URL(), RequestsPerMinute: s.RequestsPerMinute,
			UserAgent: "cdr-exporter/" + Version(),
			Quotas:    quotas,
		},
		Name: s.Name, EmergencyNumbers: s.EmergencyNumbers,
	}
}

// Version is the program's version or, within another program, the module's; `dev` for a build
// without one.
func Version() string {
	if version.Version != "" {
		return version.Version
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == "github.com/cdr-exporter/cdr-exporter" && m.Replace == nil {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return "dev"
}

// OpenSource opens a configured source with its provider, which must be one that the configuration
// was loaded with.
func OpenSource(
	s *config.Source, providers []collector.Provider, settings collector.SourceSettings,
) (*collector.Source, error) {
	i := slices.IndexFunc(providers, func(p collector.Provider) bool { return p.Name == s.ProviderName })
	source, err := providers[i].Open(s.Provider, settings)
	if err != nil {
		return nil, fmt.Errorf("open source %s: %w", s.Name, err)
	}
	if source.Close == nil {
		source.Close = func() {}
	}
	return source, nil
}
