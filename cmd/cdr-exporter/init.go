package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// initCommand writes a configuration that reads one account. With --provider it uses flags,
// otherwise it asks on the terminal. The fields of a provider's block declare the settings
// (config.Setting).
type initCommand struct {
	provider, name, credential, feeds, storage, endpoint, ca, output string
	force, check                                                     bool

	values map[string]*string // by key of the provider's block
	typed  map[string]string  // typed secrets, by key; their files are written at the end
	flags  map[string]string  // flags by the last key of a problem's path
}

func newInit(c *kingpin.CmdClause, args []string) command {
	i := &initCommand{
		values: map[string]*string{}, typed: map[string]string{},
		flags: map[string]string{
			"path": "--storage.path", "endpoint": "--otlp-endpoint", "ca_file": "--ca-file",
			"tls_config": "--ca-file", "name": "--name",
		},
	}
	names := providerNames()
	c.Flag("provider", "Provider of the account: "+strings.Join(names, ", ")+". Without it, init asks for everything.").
		EnumVar(&i.provider, names...)
	c.Flag("name", "Name of the account, the label `source` of its metrics; default: the provider's name.").
		StringVar(&i.name)
	c.Flag("feeds", "Feeds to read, separated by commas; default: all of the provider's feeds.").StringVar(&i.feeds)
	c.Flag("storage.path", "Folder of the ledger; a relative path starts at the configuration's folder.").
		Default("data").StringVar(&i.storage)
	c.Flag("otlp-endpoint", "OpenTelemetry endpoint for metrics and call records, such as http://127.0.0.1:4318.").
		StringVar(&i.endpoint)
	c.Flag("ca-file", "Certificates to trust instead of the system's.").StringVar(&i.ca)
	c.Flag("output", "Configuration file to write; - means standard output, without using the network.").
		Default("config.yaml").StringVar(&i.output)
	c.Flag("force", "Replace an existing configuration file.").BoolVar(&i.force)
	c.Flag("check", "Afterwards authenticate and read the smallest page of every feed, like check sources.").
		Default("true").BoolVar(&i.check)
	var kinds []string
	for _, p := range app.Providers() {
		if !slices.Contains(args, "init") && !slices.ContainsFunc(args, isLongHelp) {
			break // no other command has these flags, and reading all definitions takes a while
		}
		for _, s := range config.Settings(p.NewConfig()) {
			if i.define(c, &p, s); s.Block && !isFeed(&p, s) {
				kinds = append(kinds, s.Key)
			}
		}
	}
	c.Flag("credential", strings.Join(kinds, " or ")+", in place of a secret or a certificate.").
		EnumVar(&i.credential, kinds...)
	c.Validate(func(*kingpin.CmdClause) error {
		if i.provider == "" && !term.IsTerminal(int(os.Stdin.Fd())) {
			return fmt.Errorf("--provider is missing, and init needs a terminal to ask for it; set it to %s",
				strings.Join(names, ", "))
		}
		return nil
	})
	return i.run
}

// define defines the flag of a setting, which providers with the same key share.
func (i *initCommand) define(c *kingpin.CmdClause, p *collector.Provider, s config.Setting) {
	flag := strings.ReplaceAll(s.Key, "_", "-")
	switch {
	case isFeed(p, s):
		i.flags[s.Key] = "--feeds"
	case s.Block:
		i.flags[s.Key] = "--credential=" + s.Key
	case i.values[s.Key] == nil:
		i.flags[s.Key], i.flags[strings.TrimSuffix(s.Key, "_file")] = "--"+flag, "--"+flag
		i.values[s.Key] = c.Flag(flag, cmp.Or(s.Ask, "The key "+s.Key)+" ("+p.Name+" and others with this key).").
			String()
	}
}

// isLongHelp says whether an argument asks for the flags of all commands.
func isLongHelp(arg string) bool {
	return strings.HasPrefix(arg, "--help-") || strings.HasPrefix(arg, "--completion-")
}

func isFeed(p *collector.Provider, s config.Setting) bool {
	return slices.ContainsFunc(p.Feeds(), func(f collector.FeedProperties) bool { return f.Name == s.Key })
}

func providerNames() (names []string) {
	for _, p := range app.Providers() {
		names = append(names, p.Name)
	}
	return names
}

func (i *initCommand) chosen() *collector.Provider {
	all := app.Providers()
	return &all[slices.Index(providerNames(), i.provider)]
}

func (i *initCommand) run(ctx context.Context, s streams) error {
	if _, err := os.Lstat(i.output); err == nil && !i.force {
		return fmt.Errorf("--output: %s already exists; name another file, or replace it with --force", i.output)
	}
	if i.provider == "" {
		if err := i.ask(newPrompter(ctx, s.errors)); err != nil {
			return err
		}
	}
	if problems := i.problems(); len(problems) > 0 {
		for _, problem := range problems {
			fmt.Fprintln(s.errors, i.explain(problem))
		}
		return errSilent
	}
	if err := i.write(s); err != nil {
		return err
	}
	if i.output == standardOutput {
		return nil
	}
	if err := checkConfig([]string{i.output}, s); err != nil || !i.check {
		return err
	}
	check := func(ctx context.Context, r *commandConfig, s streams) error {
		return checkSources(ctx, r, time.Minute, s)
	}
	if err := readConfig(ctx, i.output, s, check); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Next: cdr-exporter run --config.file=%s, as a user who can read it and the files that "+
		"it names.\n", i.output)
	return nil
}

// write writes the typed secrets, then the configuration.
func (i *initCommand) write(s streams) error {
	for key, secret := range i.typed {
		const private = 0o600
		file := *i.values[key]
		if err := os.WriteFile(file, []byte(secret+"\n"), private); err != nil {
			return fmt.Errorf("write a secret: %w", err)
		}
		fmt.Fprintf(s.errors, "wrote %s; only its owner may read it\n", file)
	}
	w, finish, err := createFile(i.output, s.out)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	_, err = w.Write(i.text())
	return finish(err)
}

// problems are the configuration's problems, except for the files of typed secrets, which aren't
// written yet.
func (i *initCommand) problems() config.Problems {
	_, err := config.Parse(i.output, i.text(), app.ConfigOptions(app.Providers()))
	problems, _ := errors.AsType[config.Problems](err)
	return slices.DeleteFunc(problems, func(p config.Problem) bool { return i.typed[lastKey(p.Path)] != "" })
}

var word = regexp.MustCompile(`[a-z]+(_[a-z]+)+`)

// explain words a problem for users of flags, with the flag in place of the key.
func (i *initCommand) explain(problem config.Problem) string {
	key, message := lastKey(problem.Path), problem.Message
	flag := i.flags[key]
	if keys, unknown := strings.CutPrefix(message, "unknown key"); unknown {
		message = i.provider + " has no " + key + keys
		flag = cmp.Or(flag, "--feeds") // all other flags have keys of a provider
	}
	if flag != "" {
		return flag + ": " + message
	}
	message, _, _ = strings.Cut(message, "; a secret in a file")
	return "--provider=" + i.provider + ": " +
		word.ReplaceAllStringFunc(message, func(key string) string { return cmp.Or(i.flags[key], key) })
}

func lastKey(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// writtenKey is a key of the provider's block in written form; its value is YAML.
type writtenKey struct{ Comment, Key, Value string }

// text is the configuration.
func (i *initCommand) text() []byte {
	var b bytes.Buffer
	_ = texts.ExecuteTemplate(&b, "init.tmpl", map[string]any{
		"Schema": config.SchemaURL, "Docs": docsURL, "Page": page(i.provider),
		"Storage": i.storage, "Endpoint": i.endpoint, "CA": i.beside(i.ca), "Name": cmp.Or(i.name, i.provider),
		"Provider": i.provider, "Keys": i.keys(),
	}) // writing to memory never fails
	return b.Bytes()
}

// keys are the keys of the provider's block. They include flags of other providers, which the check
// refuses.
func (i *initCommand) keys() (keys []writtenKey) {
	given := make(map[string]string)
	for feed := range strings.SplitSeq(i.feeds, ",") {
		given[strings.TrimSpace(feed)] = "read"
	}
	if strings.HasPrefix(i.flags[i.credential], "--credential") { // not a secret or a certificate
		given[i.credential] = "{}"
	}
	for key, value := range i.values {
		given[key] = *value
	}
	for _, s := range config.Settings(i.chosen().NewConfig()) {
		value, key := given[s.Key], writtenKey{Comment: s.Ask, Key: s.Key}
		delete(given, s.Key)
		switch {
		case isFeed(i.chosen(), s):
			switch {
			case s.NeedsKeys() && value == "":
				key.Comment, key.Key, key.Value = s.Ask+"; not read yet: add the paths of its files", "#"+s.Key,
					"{paths: []}"
			case i.feeds != "" && value == "":
				key.Comment, key.Key = s.Ask+"; not read", "#"+s.Key
			}
		case value == "":
			continue
		case s.Block:
			key.Value = value
		case s.Secret:
			key.Value = quote(i.beside(value))
		case s.List && !s.OneWillDo:
			list, _ := json.Marshal(splitKeys(value)) // texts always encode, and YAML reads JSON
			key.Value = string(list)
		default:
			key.Value = quote(value)
		}
		keys = append(keys, key)
	}
	for key, value := range given {
		if value != "" && key != "" {
			keys = append(keys, writtenKey{Key: quote(key), Value: quote(value)})
		}
	}
	return keys
}

// beside is a file's name in the configuration: without its folder if the configuration is in the
// same folder, otherwise in full.
func (i *initCommand) beside(file string) string {
	absolute, err := filepath.Abs(file)
	switch {
	case file == "" || err != nil:
		return file
	case filepath.Dir(file) == filepath.Dir(i.output):
		return filepath.Base(file)
	}
	return absolute
}

// quote writes a text in YAML, in quotes if YAML would read it as something else.
func quote(text string) string {
	b, _ := yaml.Marshal(text) // a text always encodes
	return strings.TrimSuffix(string(b), "\n")
}

const docsURL = "https://github.com/cdr-exporter/cdr-exporter/blob/main/docs"

func page(provider string) string { return docsURL + "/providers/" + provider + ".md#set-up" }
