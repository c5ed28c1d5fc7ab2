package demo

import (
	_ "embed" // for the configuration
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	asterisk "github.com/cdr-exporter/cdr-exporter/collector/declared/sim"
)

// history is how far back the demo reads, short enough to be read within seconds. The tenant's
// is shorter, since call records are read one by one, but over two hours, which the rules
// need to see since when its counters count.
const (
	history       = 3 * time.Hour
	tenantHistory = 130 * time.Minute
)

// Settle is the settle time of call records: the simulated ones are complete within three minutes.
const Settle = 4 * time.Minute

// configuration is an ordinary configuration with short intervals.
var (
	//go:embed config.yaml.tmpl
	configurationText string
	configuration     = template.Must(template.New("").Parse(configurationText))
)

// Configure writes a configuration that reads the providers, and the files that it names, to a folder, and starts
// the PBX, which writes its calls there. Storage is the folder of the ledger, hook the address of the listener for
// notifications.
func (p *Providers) Configure(folder, storage, hook string) (string, error) {
	storage, err := filepath.Abs(storage)
	if err != nil {
		return "", fmt.Errorf("resolve the ledger's folder: %w", err)
	}
	err = errors.Join(
		p.Tenant.WriteCA(filepath.Join(folder, "msgraph-ca.pem")),
		p.Office.WriteCA(filepath.Join(folder, "ringcentral-ca.pem")),
		p.Carrier.WriteCA(filepath.Join(folder, "wavix-ca.pem")),
	)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, "people.csv"), []byte(p.people()), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's people: %w", err)
	}
	// It begins after the origins of exporters that start within a minute: they count the same calls.
	if p.PBX, err = asterisk.Start(folder, time.Now().Add(time.Minute-history)); err != nil {
		return "", err
	}
	var text strings.Builder
	err = configuration.Execute(&text, struct {
		*Providers
		Storage, Hook                  string
		History, TenantHistory, Settle time.Duration
	}{p, storage, hook, history, tenantHistory, Settle})
	if err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	return file, nil
}

// people are the users of Teams and the extensions of the PBX, with their departments; RingCentral's users have the
// same extensions.
func (p *Providers) people() string {
	var text strings.Builder
	text.WriteString("user,department\n")
	add := func(n int, user string) {
		fmt.Fprintf(&text, "%s,%s\n", user, []string{"Sales", "Support", "Logistics"}[n%3])
	}
	for n, u := range p.PSTN.Mix().Users {
		add(n, u.Principal)
	}
	for n := range 20 {
		add(n, fmt.Sprint(101+n))
	}
	return text.String()
}
