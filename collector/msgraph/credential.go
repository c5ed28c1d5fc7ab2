package msgraph

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/crypto/pkcs12"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// dialTimeout limits the connection to a managed identity's endpoint, where nothing answers outside
// Azure.
const dialTimeout = 5 * time.Second

// credentials gets tokens with the configured credential. It makes a new library credential for
// each token, about once an hour. So it reads secrets from their files again, and httpclient.Tokens
// is the only cache.
type credentials struct {
	config    *Config
	scope     string // all granted permissions; always the cloud's
	login     *url.URL
	transport http.RoundTripper
	observer  httpclient.Observer       // may be nil
	ends      atomic.Pointer[time.Time] // expiry of the certificate last read; nil: none read
}

func newCredentials(config *Config, hosts cloud, settings *collector.SourceSettings) (*credentials, error) {
	login, err := url.Parse(cmp.Or(config.LoginURL, hosts.login)) // the configuration is valid: it is a URL
	c := &credentials{
		config: config, scope: hosts.graph + "/.default", login: login, transport: settings.Transport,
		observer: settings.Observer,
	}
	switch {
	case c.transport != nil:
	case config.ManagedIdentity != nil: // the endpoint is on the machine or its network, never behind a proxy
		c.transport = &http.Transport{DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext}
	default:
		c.transport, err = httpclient.NewTransport(settings.TLS, settings.ProxyURL)
	}
	if config.ClientCertificate.IsSet() {
		_, _, _ = c.certificates(context.Background()) // to know its expiry; an error shows with the first token
	}
	return c, err
}

// token requests a new token. Its errors are *advice.Error, marked with httpclient.Retryable if
// they may pass, or the context's error.
func (c *credentials) token(ctx context.Context) (httpclient.Token, error) {
	x := &exchange{credentials: c, host: c.login.Host}
	options := policy.TokenRequestOptions{Scopes: []string{c.scope}}
	if c.config.ManagedIdentity != nil {
		x.host = "the managed identity endpoint"
		// Claims make the library skip its process-wide cache of managed identities, which may hold
		// the token that Graph has just refused.
		options.Claims = "{}"
	} else {
		x.endpoint = c.login.JoinPath(c.config.TenantID, "oauth2/v2.0/token")
	}
	var token azcore.AccessToken
	credential, err := c.open(ctx, policy.ClientOptions{
		// The library accepts https only; the exchange knows the real address.
		Cloud:     azcloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + c.login.Host},
		Transport: x,
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "cdr-exporter"},
	})
	if err == nil {
		token, err = credential.GetToken(ctx, options)
	}
	if err != nil {
		return httpclient.Token{}, x.tokenError(ctx, err)
	}
	// Use the wall clock: while the machine slept, the token aged.
	return httpclient.Token{Value: token.Token, Expires: token.ExpiresOn.Round(0)}, nil
}

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
	case c.config.ClientCertificate.IsSet():
		certs, key, err := c.certificates(ctx)
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientCertificateCredential(tenant, client, certs, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	}
	secret, err := c.config.ClientSecret.Value(ctx)
	if err != nil {
		return nil, advice.UnreadableSecret(err)
	}
	return azidentity.NewClientSecretCredential(tenant, client, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
}

// certificates reads the client certificate with its chain and key. Its errors are *advice.Error.
func (c *credentials) certificates(ctx context.Context) ([]*x509.Certificate, crypto.PrivateKey, error) {
	content, err := c.config.ClientCertificate.Bytes(ctx)
	if err != nil {
		return nil, nil, advice.UnreadableSecret(err)
	}
	password, err := c.config.ClientCertificatePassword.Value(ctx)
	if err != nil {
		return nil, nil, advice.UnreadableSecret(err)
	}
	isPEM := bytes.Contains(content, []byte("-----BEGIN "))
	if isPEM {
		password = "" // with a password the parser assumes PKCS #12
	}
	certs, key, err := azidentity.ParseCertificates(content, []byte(password))
	switch {
	case err == nil:
		first := slices.MinFunc(certs, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		c.ends.Store(&first.NotAfter)
		return certs, key, nil
	case isPEM:
		return nil, nil, badCertificate(err.Error()) // the text is constant
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, badCertificate("client_certificate_password is wrong for it")
	}
	return nil, nil, badCertificate("it is neither PEM nor a legacy PKCS #12 file")
}

// expiry is when the credential expires: the configured expiry of the client secret, or the expiry
// of the first certificate in the file when the latest token was requested. It is zero if unknown.
// It reads no file, so that a mount that hangs doesn't stop a scrape.
func (c *credentials) expiry() time.Time {
	if !c.config.ClientCertificate.IsSet() {
		return c.config.ClientSecretExpires.Time
	}
	if at := c.ends.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// rolesOf are the application permissions in a token (access token claims, `roles`), only to show
// them to people. Graph's answers say what is allowed, and it may issue tokens that can't be read.
func rolesOf(token string) []string {
	var claims struct {
		Roles []string `json:"roles"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(body, &claims)
	}
	return claims.Roles
}
