package msgraph

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/callrecords"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// How long Graph keeps the rows of the two call logs.
const (
	pstnRetention          = 365 * 24 * time.Hour
	directRoutingRetention = 150 * 24 * time.Hour
)

var (
	domain      = regexp.MustCompile(`(?i)^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	versionPath = regexp.MustCompile(`/(v1\.0|beta)/?$`)
)

// Config is the block `msgraph` of a source.
type Config struct {
	// TenantID is the directory: its id or one of its domains.
	TenantID string `yaml:"tenant_id" ask:"Directory (tenant) ID, or a domain of the tenant"`
	// ClientID is the app registration. A managed identity doesn't need it.
	ClientID string `yaml:"client_id" ask:"Application (client) ID of the app registration"`

	// Exactly one of these four must be set.
	ClientSecret config.Secret `yaml:"client_secret" ask:"Client secret: its value, not its ID"`
	// ClientSecretExpires is when the secret expires: an app can't query that from Entra ID.
	ClientSecretExpires config.Date `yaml:"client_secret_expires" ask:"Expiry date of the client secret, if known"`
	// ClientCertificate holds a certificate and its private key, as PEM or PKCS #12.
	ClientCertificate config.Secret     `yaml:"client_certificate" ask:"Certificate with private key, PEM or PKCS #12"`
	ManagedIdentity   *ManagedIdentity  `yaml:"managed_identity" ask:"Managed identity of an Azure machine"`
	WorkloadIdentity  *WorkloadIdentity `yaml:"workload_identity" ask:"Workload identity of Kubernetes"`

	// ClientCertificatePassword opens a PKCS #12 file.
	ClientCertificatePassword config.Secret `yaml:"client_certificate_password"`

	// Cloud is a key of the table clouds.
	Cloud string `yaml:"cloud"`
	// GraphURL and LoginURL replace the cloud's addresses; tokens still use the cloud's scope.
	GraphURL string `yaml:"graph_url"`
	LoginURL string `yaml:"login_url"`

	PSTN          *PSTN               `yaml:"pstn" ask:"Calling Plans, Operator Connect, conferencing"`
	DirectRouting *DirectRouting      `yaml:"direct_routing" ask:"Calls through your own session border controllers"`
	CallRecords   *callrecords.Config `yaml:"call_records" ask:"All calls and meetings, sessions, media quality"`
}

// ManagedIdentity is an identity that Azure gives the machine.
type ManagedIdentity struct {
	// ClientID names a user-assigned identity; empty means the system-assigned one.
	ClientID string `yaml:"client_id"`
}

// WorkloadIdentity is a service account's token, exchanged for one of Entra ID.
type WorkloadIdentity struct {
	// TokenFile holds the projected token; if empty, AZURE_FEDERATED_TOKEN_FILE names the file. The
	// exporter reads it for each token.
	TokenFile config.File `yaml:"token_file"`
}

// PSTN is the feed of getPstnCalls.
type PSTN struct {
	config.Feed `yaml:",inline"`
}

// DirectRouting is the feed of getDirectRoutingCalls.
type DirectRouting struct {
	config.Feed `yaml:",inline"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() { c.Cloud = cloudGlobal }

// SetDefaults implements config.Defaulter.
func (p *PSTN) SetDefaults() {
	p.Feed = config.Feed{Interval: 5 * time.Minute, Lookback: 72 * time.Hour, LateAfter: 6 * time.Hour}
}

// SetDefaults implements config.Defaulter.
func (d *DirectRouting) SetDefaults() {
	d.Feed = config.Feed{Interval: time.Minute, Lookback: 48 * time.Hour, LateAfter: time.Hour}
}

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	c.validateTenant(r)
	const client = "the application (client) id of the app registration"
	r.RequiredUnless("managed_identity", "client_id", c.ClientID, client)
	if c.ClientID != "" && !graph.IsGUID(c.ClientID) {
		r.Problemf("client_id", "must be a GUID such as 3f1c55f2-0000-4000-8000-000000000002: %s, not its "+
			"name or secret", client)
	}
	r.ExactlyOne("a credential", "client_secret", "client_certificate", "managed_identity", "workload_identity")
	if r.Given("client_certificate_password") && !r.Given("client_certificate") {
		r.Problemf("client_certificate_password", "opens a certificate, but none is set; set client_certificate_file")
	}
	if r.Given("client_secret_expires") && !r.Given("client_secret") {
		r.Problemf("client_secret_expires", "only applies to a client secret; remove it: the exporter reads a "+
			"certificate's expiry itself, and other credentials have none")
	}
	if c.Cloud == cloudChina {
		r.Problemf("cloud", "china (operated by 21Vianet) has no call records: Microsoft Graph doesn't offer "+
			"them there; only %s have them",
			strings.Join(cloudNames, ", "))
	} else {
		r.OneOf("cloud", c.Cloud, cloudNames...)
	}
	r.BaseURL("graph_url", c.GraphURL)
	r.BaseURL("login_url", c.LoginURL)
	if u, err := url.Parse(c.GraphURL); err == nil && versionPath.MatchString(u.Path) {
		r.Problemf("graph_url", "must not contain the API version: remove %s", versionPath.FindString(u.Path))
	}
	r.AtLeastOne("a feed", "pstn", "direct_routing", "call_records")
}

func (c *Config) validateTenant(r *config.Report) {
	const want = "the directory (tenant) id or a domain of the tenant, such as contoso.onmicrosoft.com"
	switch strings.ToLower(c.TenantID) {
	case "":
		r.Required("tenant_id", c.TenantID, want)
	case "common", "organizations", "consumers":
		r.Problemf("tenant_id", "must name one tenant, because call records belong to one: set %s, not %s", want,
			c.TenantID)
	default:
		if !graph.IsGUID(c.TenantID) && !domain.MatchString(c.TenantID) {
			r.Problemf("tenant_id", "must be %s", want)
		}
	}
}

// Validate implements config.Validator, in addition to the rules for all feeds.
func (p *PSTN) Validate(r *config.Report) { p.KeptFor(r, pstnRetention) }

// Validate implements config.Validator, in addition to the rules for all feeds.
func (d *DirectRouting) Validate(r *config.Report) { d.KeptFor(r, directRoutingRetention) }

const (
	cloudGlobal = "global"
	cloudChina  = "china"
)

// cloud has the addresses of a Microsoft cloud.
type cloud struct{ login, graph string }

// cloudNames are the clouds with call records (Graph, "National cloud deployments"). GCC is part of
// global; L4 is GCC High, L5 is DoD.
var cloudNames = []string{cloudGlobal, "usgov_l4", "usgov_l5"}

var clouds = map[string]cloud{
	cloudGlobal: {"https://login.microsoftonline.com", "https://graph.microsoft.com"},
	"usgov_l4":  {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
	"usgov_l5":  {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
}
