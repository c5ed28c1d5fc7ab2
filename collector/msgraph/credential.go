package msgraph

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// anyClaims makes the identity library pass by its cache of managed identities' tokens,
// which belongs to the process and would return one that Graph has refused.
const anyClaims = "{}"

// credentials gets tokens with the one credential that is configured. A credential is
// made for each token, once an hour: so it has what its files hold now, and no cache
// beside that of tokens.
type credentials struct {
	config      *Config
	scope       string
	login       *url.URL
	certificate *certificate // nil without one
	transport   http.RoundTripper
	observer    httpclient.Observer
}

// token asks for a new token. Errors are *TokenError, marked by httpclient.Retryable
// if they may pass, or the context's.
func (c *credentials) token(ctx context.Context) (azcore.AccessToken, error) {
	exchange := &exchange{Exchange: httpclient.Exchange{Transport: c.transport, Observer: c.observer}, host: c.login.Host}
	if c.config.ManagedIdentity != nil {
		exchange.host, exchange.managed = "the managed identity endpoint", true
	} else {
		exchange.endpoint = c.login.JoinPath(c.config.TenantID, "oauth2/v2.0/token")
	}
	credential, err := c.open(ctx, policy.ClientOptions{
		// The library takes https only; the exchange knows the real address.
		Cloud:     azcloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + c.login.Host},
		Transport: exchange,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "cdr-exporter"},
	})
	if err != nil {
		return azcore.AccessToken{}, exchange.failed(ctx, err)
	}
	options := policy.TokenRequestOptions{Scopes: []string{c.scope}}
	if exchange.managed {
		options.Claims = anyClaims
	}
	token, err := credential.GetToken(ctx, options)
	if err != nil {
		return azcore.AccessToken{}, exchange.failed(ctx, err)
	}
	token.ExpiresOn = token.ExpiresOn.Round(0) // wall clock: a machine that slept has an old token
	return token, nil
}

// open makes the credential that is configured.
func (c *credentials) open(ctx context.Context, options policy.ClientOptions) (azcore.TokenCredential, error) {
	tenant, client := c.config.TenantID, c.config.ClientID
	switch {
	case c.config.ManagedIdentity != nil:
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if id := c.config.managedClientID(); id != "" {
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

// managedClientID is the user-assigned identity, which may also be named as the app.
func (c *Config) managedClientID() string {
	if id := c.ManagedIdentity.ClientID; id != "" {
		return id
	}
	return c.ClientID
}

// expiry is when the certificate or, as configured, the client secret ends; zero if that isn't known.
func (c *credentials) expiry() time.Time {
	if c.certificate == nil {
		return c.config.ClientSecretExpires.Time
	}
	return c.certificate.expiry()
}
