package rules

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// Parameters are what `cdr-exporter assets --rules.file FILE DIR` reads. rules.example.yaml explains each and has its
// default.
type Parameters struct {
	// Thresholds are shared with the status page and the dashboards.
	thresholds.Thresholds `yaml:",inline"`
	// Feeds are those that the rules are for; no key of the file.
	Feeds []Feed
	// Labels are the operator's labels of calls, and StreamLabels those of media streams, of the configuration that
	// the rules are for; no keys of the file.
	Labels, StreamLabels []string

	Selector       string   `yaml:"selector"`
	KeepLabels     []string `yaml:"keep_labels"`
	RunbookURL     string   `yaml:"runbook_url"`
	GrafanaURL     string   `yaml:"grafana_url"`
	EmergencyCalls string   `yaml:"emergency_calls"`
	Off            []string `yaml:"off"`
	// AlertLabels are the operator's labels that an alert keeps, by its name.
	AlertLabels map[string][]string `yaml:"alert_labels"`

	QuietFloor int `yaml:"quiet_floor"`

	ChargeFactor    int                `yaml:"charge_factor"`
	ChargeFloors    map[string]float64 `yaml:"charge_floors"`
	FraudCalls      int                `yaml:"fraud_calls"`
	RiskyCountries  []string           `yaml:"risky_countries"`
	HomeCountries   []string           `yaml:"home_countries"`
	NewCountryCalls int                `yaml:"new_country_calls"`
	UnusualCalls    int                `yaml:"unusual_calls"`
	OfficeHours     string             `yaml:"office_hours"`
	WangiriCalls    int                `yaml:"wangiri_calls"`

	PoorShare    float64 `yaml:"poor_share"`
	QueueSeconds int     `yaml:"queue_seconds"`
	AbandonShare float64 `yaml:"abandon_share"`

	ExpiringDays  int `yaml:"expiring_days"`
	DiskFreeBytes int `yaml:"disk_free_bytes"`
}

// Default are the parameters of the shipped rules.
func Default() *Parameters {
	p := new(Parameters)
	p.SetDefaults()
	p.Feeds = Builtin()
	return p
}

// Load reads a file of parameters, for these feeds. Without a file it returns the parameters of the shipped rules.
func Load(file string, feeds []Feed) (*Parameters, error) {
	p := new(Parameters)
	p.SetDefaults()
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the parameters of the rules: %w", err)
		}
		if err := config.Unmarshal(file, text, p, config.Options{}); err != nil {
			return nil, err
		}
	}
	p.Feeds = feeds
	return p, nil
}

// SetDefaults is called before a file is read.
func (p *Parameters) SetDefaults() {
	*p = Parameters{
		Thresholds: thresholds.Default(),
		RunbookURL: "https://github.com/cdr-exporter/cdr-exporter/blob/main/docs/runbooks/", EmergencyCalls: info,
		QuietFloor: 10, ChargeFactor: 3,
		// About 20 USD each: without a floor one long call of a quiet day is a surge.
		ChargeFloors: map[string]float64{
			"AUD": 30, "BRL": 100, "CAD": 30, "CHF": 20, "CNY": 150, "CZK": 500, "DKK": 150, "EUR": 20, "GBP": 20,
			"HKD": 150, "HUF": 8000, "ILS": 80, "INR": 2000, "JPY": 3000, "KRW": 30000, "MXN": 400, "NOK": 200,
			"NZD": 30, "PLN": 80, "RON": 80, "SEK": 200, "SGD": 30, "THB": 800, "TRY": 800, "TWD": 800, "USD": 20,
			"XXX": 20, "ZAR": 400,
		},
		FraudCalls: 10,
		RiskyCountries: []string{
			"001", "CF", "CU", "GM", "GN", "GQ", "KM", "LT", "LV", "MG", "MV", "NR", "PG",
			"SL", "SO", "ST", "TD", "TN", "TV", "VU", "ZW",
		},
		NewCountryCalls: 8, UnusualCalls: 20, WangiriCalls: 40,
		PoorShare: 0.1, QueueSeconds: 20, AbandonShare: 0.2, ExpiringDays: 30, DiskFreeBytes: 1e9,
	}
}

var (
	labelName   = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	countryCode = regexp.MustCompile(`^([A-Z]{2}|001)$`)
	currency    = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Validate reports what no rule can be made from.
func (p *Parameters) Validate(r *config.Report) {
	if _, err := promql.ParseMetricSelector("{" + p.Selector + "}"); p.Selector != "" && err != nil {
		r.Problemf("selector", `must be matchers without braces, such as job="cdr-exporter", is %s`, p.Selector)
	}
	for _, l := range p.KeepLabels {
		if !labelName.MatchString(l) || slices.Contains([]string{"source", "feed", "trunk", "direction"}, l) {
			r.Problemf("keep_labels", "must be labels that your scrape adds, such as cluster and job, one is %q", l)
		}
	}
	r.OneOf("emergency_calls", p.EmergencyCalls, "off", info, critical)
	for _, name := range p.Off {
		if !slices.Contains(AlertNames(), name) {
			r.Problemf("off", "must be alerts of docs/alerts.md, %q isn't one", name)
		}
	}
	for c, floor := range p.ChargeFloors {
		if !currency.MatchString(c) || !(floor >= 0) || math.IsInf(floor, 1) { // nor NaN
			r.Problemf("charge_floors", "must be amounts by currency, such as USD: 20, %s: %v isn't one", c, floor)
		}
	}
	p.validateAlertLabels(r)
	p.validateFraud(r)
	p.validateNumbers(r)
	p.validateQueues(r)
}

// validateNumbers reports numbers with a fraction, all of them shares, outside 0 to 1, and counts, factors and
// times below 1.
func (p *Parameters) validateNumbers(r *config.Report) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Parameters]()) {
		key, v := field.Tag.Get("yaml"), reflect.ValueOf(p).Elem().FieldByIndex(field.Index)
		switch {
		case v.CanFloat() && !(v.Float() > 0 && v.Float() <= 1): // nor NaN
			r.Problemf(key, "must be above 0 and at most 1, is %v", v.Float())
		case v.CanInt():
			r.AtLeast(key, v.Int(), 1)
		}
	}
}

// adapt puts the feeds and the selector into an expression, and the labels to keep into its groupings.
func (p *Parameters) adapt(expr string) parser.Expr {
	e := p.resolve(parse(expr))
	if p.Selector != "" {
		matchers, _ := promql.ParseMetricSelector("{" + p.Selector + "}") // validated
		prependMatchers(e, matchers)
	}
	if len(p.KeepLabels) > 0 {
		editGroupings(e, p.kept, p.kept)
	}
	return e
}

// kept are labels behind those to keep.
func (p *Parameters) kept(labels []string) []string {
	var all []string
	for _, l := range p.KeepLabels {
		if !slices.Contains(labels, l) {
			all = append(all, l)
		}
	}
	return append(all, labels...)
}

var labelLists = regexp.MustCompile(`\b(equal|group_by): \[([a-z_, ]+)\]`)

// Alertmanager makes the example of Alertmanager's configuration fit the labels that are kept.
func (p *Parameters) Alertmanager(example []byte) []byte {
	return labelLists.ReplaceAllFunc(example, func(list []byte) []byte {
		parts := labelLists.FindSubmatch(list)
		return []byte(string(parts[1]) + ": [" + strings.Join(p.kept(strings.Split(string(parts[2]), ", ")), ", ") +
			"]")
	})
}
