package msgraph

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

const (
	// renewBefore is how long before its end a token is replaced, so that none ends on its way.
	renewBefore = 5 * time.Minute
	// dialTimeout bounds the connection to a managed identity's endpoint, where nothing answers outside of Azure.
	dialTimeout = 5 * time.Second
)

// credentials gets tokens with the credential that is configured. The library's credential is made anew for each token, about once an hour: so
// secrets are read again from their files, and httpclient.Tokens is the only cache.
type credentials struct {
	config      *Config
	scope       string
	login       *url.URL
	certificate *certificate // nil without one
	transport   http.RoundTripper
	observer    httpclient.Observer
}

func newCredentials(config *Config, hosts cloud, settings *collector.SourceSettings) (*credentials, error) {
	login, err := url.Parse(cmp.Or(config.LoginURL, hosts.login))
	if err != nil {
		return nil, errors.New("login_url is not a URL")
	}
	c := &credentials{config: config, scope: hosts.scope(), login: login, observer: settings.Observer}
	if config.ClientCertificate.IsSet() {
		c.certificate = &certificate{content: config.ClientCertificate, password: config.ClientCertificatePassword}
	}
	c.transport, err = identityTransport(config, settings)
	return c, err
}

// identityTransport is the source's own, except for a managed identity: its endpoint is on the machine or its network, never behind a proxy.
func identityTransport(config *Config, settings *collector.SourceSettings) (http.RoundTripper, error) {
	switch {
	case settings.Transport != nil:
		return settings.Transport, nil
	case config.ManagedIdentity != nil:
		return &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext}, nil
	}
	client := promconfig.HTTPClientConfig{TLSConfig: settings.TLS, EnableHTTP2: true}
	if settings.ProxyURL != nil {
		client.ProxyURL = promconfig.URL{URL: settings.ProxyURL}
	} else {
		client.ProxyFromEnvironment = true
	}
	return promconfig.NewRoundTripperFromConfig(client, providerName)
}

// token asks for a new token. Its errors are *TokenError, marked by httpclient.Retryable if they may pass, or the context's.
func (c *credentials) token(ctx context.Context) (httpclient.Token, error) {
	x := &exchange{Exchange: httpclient.Exchange{Transport: c.transport, Observer: c.observer}, host: c.login.Host}
	options := policy.TokenRequestOptions{Scopes: []string{c.scope}}
	if c.config.ManagedIdentity != nil {
		x.host = "the managed identity endpoint"
		// Claims make the library pass by its process-wide cache of managed identities, which may hold the token that Graph has just refused.
		options.Claims = "{}"
	} else {
		x.endpoint = c.login.JoinPath(c.config.TenantID, "oauth2/v2.0/token")
	}
	credential, err := c.open(ctx, policy.ClientOptions{
		// The library takes https only; the exchange knows the real address.
		Cloud:     azcloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + c.login.Host},
		Transport: x,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "cdr-exporter"},
	})
	if err != nil {
		return httpclient.Token{}, x.tokenError(ctx, err)
	}
	token, err := credential.GetToken(ctx, options)
	if err != nil {
		return httpclient.Token{}, x.tokenError(ctx, err)
	}
	// By the wall clock: on a machine that slept, the token has grown old.
	return httpclient.Token{Value: token.Token, Expires: token.ExpiresOn.Round(0)}, nil
}

// open makes the credential that is configured.
func (c *credentials) open(ctx context.Context, options policy.ClientOptions) (azcore.TokenCredential, error) {
	tenant, client := c.config.TenantID, c.config.ClientID
	switch {
	case c.config.ManagedIdentity != nil:
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if id := cmp.Or(c.config.ManagedIdentity.ClientID, client); id != "" {
			managed.ID = azidentity.ClientID(id)
		}
		return azidentity.NewManagedIdentityCredential(managed)
	case c.config.WorkloadIdentity != nil:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, ClientID: client, TenantID: tenant, DisableInstanceDiscovery: true,
			TokenFilePath: string(c.config.WorkloadIdentity.TokenFile),
		})
	case c.certificate != nil:
		certs, key, err := c.certificate.load(ctx)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(tenant, client, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	}
	secret, err := c.config.ClientSecret.Value(ctx)
	if err != nil {
		return nil, unreadableSecret(err)
	}
	return azidentity.NewClientSecretCredential(tenant, client, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
}

// expiry is when the certificate or, as configured, the client secret ends; zero if that isn't known.
func (c *credentials) expiry() time.Time {
	if c.certificate == nil {
		return c.config.ClientSecretExpires.Time
	}
	return c.certificate.expiry()
}
