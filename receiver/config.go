package cdrreceiver

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// name is the configuration's name in problems. The Collector puts the component's id before them.
const name = "cdr"

// Config is the exporter's configuration plus `webhook`. It has no exported field, so that the
// Collector never prints a secret.
type Config struct {
	node *yaml.Node // without `webhook`
	hook webhook
	// problems are those that only a receiver has.
	problems config.Problems
}

// webhook is the listener for providers' notifications, which has flags in the exporter.
type webhook struct {
	// ListenAddress is where it listens; empty means nowhere.
	ListenAddress string `yaml:"listen_address"`
	// ConfigFile is exporter-toolkit's file with the TLS settings.
	ConfigFile config.File `yaml:"config_file"`
}

// Validate implements [config.Validator].
func (w *webhook) Validate(r *config.Report) {
	r.Required("listen_address", w.ListenAddress, "the address to listen on, such as 0.0.0.0:8443")
}

// Unmarshal implements confmap.Unmarshaler. Validate reports all problems at once.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	raw := maps.Clone(xconfmap.ToStringMapRaw(conf)) // keeps texts that look like numbers
	*c = Config{}
	if block, given := raw["webhook"]; given {
		delete(raw, "webhook")
		var own struct {
			Webhook *webhook `yaml:"webhook"`
		}
		err := config.UnmarshalNode(name, nodeOf(map[string]any{"webhook": block}), &own,
			config.Options{CheckFiles: true})
		if problems, bad := errors.AsType[config.Problems](err); bad {
			c.problems = problems
		} else {
			c.hook = *own.Webhook
		}
	}
	c.node = nodeOf(raw)
	c.refuseEndpoints(raw["otlp"])
	return nil
}

// endpointKeys are the keys of `otlp` that say what is sent where.
var endpointKeys = []string{
	"endpoint", "protocol", "headers", "headers_file", "insecure_headers", "tls_config", "logs",
	"metrics", "traces",
}

func (c *Config) refuseEndpoints(block any) {
	keys, _ := block.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(endpointKeys, key) {
			c.problems = append(c.problems, config.Problem{
				File: name, Path: "otlp." + key,
				Message: "has no effect in a receiver: the Collector's pipelines decide where data goes; " +
					"remove the key",
			})
		}
	}
}

// Validate implements xconfmap.Validator. Its error has every problem. It sends no request.
func (c *Config) Validate() error {
	var errs []error
	// the Collector adds the name itself
	own := func(text string) { errs = append(errs, errors.New(strings.TrimPrefix(text, name+": "))) }
	err := app.Check(c.settings())
	problems, all := errors.AsType[config.Problems](err)
	for _, p := range slices.Concat(c.problems, problems) {
		own(p.String())
	}
	if err != nil && !all {
		own(err.Error())
	}
	return errors.Join(errs...)
}

// settings are the settings of an engine without pipelines.
func (c *Config) settings() app.Settings {
	s := app.Settings{
		ConfigFile: name, ConfigNode: c.node, Pipelines: make(map[string]otlp.Deliver),
		WebhookConfigFile: string(c.hook.ConfigFile),
	}
	if c.hook.ListenAddress != "" {
		s.WebhookAddresses = []string{c.hook.ListenAddress}
	}
	return s
}
