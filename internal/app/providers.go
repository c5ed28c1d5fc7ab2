package app

import (
	"errors"
	"os"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/providers"
)

// Providers are all built-in providers of sources; a configuration may define more.
func Providers() []collector.Provider { return providers.All() }

// LoadConfig reads the configuration of these settings. It returns the providers that its sources
// may use: the known ones and those that it defines. Unless checkFiles is set, the files that it
// names don't have to exist.
func LoadConfig(s Settings, checkFiles bool) (c *config.Config, all []collector.Provider, err error) {
	known := s.Providers
	if known == nil {
		known = Providers()
	}
	all = slices.Clone(known)
	options := ConfigOptions(known)
	options.CheckFiles = checkFiles
	options.Define = func(files []string) (map[string]func() any, error) {
		blocks, problems := make(map[string]func() any), config.Problems(nil)
		for _, file := range files {
			p, replaces, err := define(file)
			if err != nil {
				found, ok := errors.AsType[config.Problems](err)
				if !ok {
					found = config.Problems{{File: file, Message: err.Error()}}
				}
				problems = append(problems, found...)
				continue
			}
			_, twice := blocks[p.Name]
			at := slices.IndexFunc(all, func(other collector.Provider) bool { return other.Name == p.Name })
			switch {
			case at < 0:
				all = append(all, p)
			case replaces && at < len(known) && !twice:
				all[at] = p
			default:
				const message = "a provider of this name already exists; choose another name, or set " +
					"`replaces: true` to replace a built-in one"
				problems = append(problems, config.Problem{File: file, Line: 1, Path: "provider", Message: message})
			}
			blocks[p.Name] = p.NewConfig
		}
		if len(problems) > 0 {
			return blocks, problems
		}
		return blocks, nil
	}
	if s.ConfigNode == nil {
		c, err = config.Load(s.ConfigFile, options)
		return c, all, err
	}
	c = new(config.Config)
	return c, all, config.UnmarshalNode(s.ConfigFile, s.ConfigNode, c, options)
}

// define reads the definition of a provider.
func define(file string) (p collector.Provider, replaces bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return p, false, err
	}
	d, err := declared.Load(file, text)
	if err != nil {
		return p, false, err
	}
	return declared.NewProvider(d), d.Replaces, nil
}
