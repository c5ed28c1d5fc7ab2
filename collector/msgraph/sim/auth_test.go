package sim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// signer makes a self-signed certificate with an RSA key.
func signer(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "exporter"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// clientOptions point azidentity at a server.
func clientOptions(t *testing.T, server *Server) azcore.ClientOptions {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: server.LoginURL()},
		Transport: &http.Client{Transport: transport},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

// TestCredentials gets a token with every kind of credential through azidentity,
// and reads a page with it.
func TestCredentials(t *testing.T) {
	// The client is new each time: azidentity keeps an identity's tokens as long as the process runs.
	server, c := start(t, Settings{PSTN: world(t, PSTNMix(), 5, nil), ClientID: "client-" + rand.Text()})
	options := clientOptions(t, server)
	certificate, key := signer(t)
	server.AddCertificate(certificate)
	subject := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(subject, []byte("subject-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	server.AddFederatedToken("subject-token")
	for name, value := range server.ManagedIdentityEnvironment() {
		t.Setenv(name, value)
	}
	for name, create := range map[string]func() (azcore.TokenCredential, error){
		"secret": func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(server.TenantID(), server.ClientID(), server.ClientSecret(),
				&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		},
		"certificate": func() (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(server.TenantID(), server.ClientID(), []*x509.Certificate{certificate}, key,
				&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		},
		"workload identity": func() (azcore.TokenCredential, error) {
			return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
				ClientOptions: options, DisableInstanceDiscovery: true,
				ClientID: server.ClientID(), TenantID: server.TenantID(), TokenFilePath: subject,
			})
		},
		"managed identity": func() (azcore.TokenCredential, error) {
			return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
				ClientOptions: options, ID: azidentity.ClientID(server.ClientID()),
			})
		},
	} {
		for _, scope := range []string{server.GraphURL() + "/.default", "https://graph.microsoft.com/.default"} {
			t.Run(name, func(t *testing.T) {
				credential, err := create()
				if err != nil {
					t.Fatal(err)
				}
				token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}})
				if err != nil {
					t.Fatal(err)
				}
				if left := time.Until(token.ExpiresOn); left < 59*time.Minute || left > time.Hour {
					t.Errorf("the token expires in %s", left)
				}
				c.token = token.Token
				if response, _ := c.get(functions + "getPstnCalls" + day); response.StatusCode != http.StatusOK {
					t.Errorf("Graph answers %d", response.StatusCode)
				}
			})
		}
	}
	if n := server.Requests().Count(EndpointManagedIdentity)[200]; n == 0 {
		t.Error("nobody asked the endpoint for managed identities")
	}
}

func TestWrongCredentials(t *testing.T) {
	server, _ := start(t, Settings{})
	options := clientOptions(t, server)
	certificate, key := signer(t)
	registered, _ := signer(t)
	server.AddCertificate(registered)
	secret := func(tenant, client, secret string) func() (azcore.TokenCredential, error) {
		return func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(tenant, client, secret,
				&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		}
	}
	scope := server.GraphURL() + "/.default"
	for _, test := range []struct {
		name, scope string
		make        func() (azcore.TokenCredential, error)
		want        string
	}{
		{"secret", scope, secret(server.TenantID(), server.ClientID(), "wrong"), "AADSTS7000215"},
		{"client", scope, secret(server.TenantID(), "nobody", server.ClientSecret()), "AADSTS700016"},
		{"tenant", scope, secret("11111111-0000-4000-8000-000000000000", server.ClientID(), server.ClientSecret()), "AADSTS90002"},
		{"another cloud's Graph", "https://graph.microsoft.us/.default", secret(server.TenantID(), server.ClientID(), server.ClientSecret()), "AADSTS500011"},
		{"certificate", scope, func() (azcore.TokenCredential, error) {
			return azidentity.NewClientCertificateCredential(server.TenantID(), server.ClientID(), []*x509.Certificate{certificate}, key,
				&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
		}, "AADSTS700027"},
		{"key of a registered certificate", scope, func() (azcore.TokenCredential, error) {
			// azidentity refuses a key that isn't the certificate's.
			return azidentity.NewClientCertificateCredential(server.TenantID(), server.ClientID(), []*x509.Certificate{registered}, key, nil)
		}, "key doesn't match"},
	} {
		t.Run(test.name, func(t *testing.T) {
			credential, err := test.make()
			if err == nil {
				_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{test.scope}})
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	server.ExpireSecret()
	credential, err := secret(server.TenantID(), server.ClientID(), server.ClientSecret())()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}}); err == nil || !strings.Contains(err.Error(), "AADSTS7000222") {
		t.Errorf("expired secret: %v", err)
	}
	server.SetSecret("another")
	if credential, err = secret(server.TenantID(), server.ClientID(), "another")(); err != nil {
		t.Fatal(err)
	}
	if _, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}}); err != nil {
		t.Errorf("new secret: %v", err)
	}
}

// TestTokenRequestsAreChecked sends forms by hand.
func TestTokenRequestsAreChecked(t *testing.T) {
	server, c := start(t, Settings{})
	certificate, key := signer(t)
	server.AddCertificate(certificate)
	form := func(change func(url.Values)) url.Values {
		f := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {server.ClientID()},
			"client_secret": {server.ClientSecret()}, "scope": {server.GraphURL() + "/.default"},
		}
		change(f)
		return f
	}
	assert := func(change func(*assertion)) url.Values {
		return form(func(f url.Values) {
			f.Del("client_secret")
			f.Set("client_assertion_type", assertionType)
			f.Set("client_assertion", signed(t, server, certificate, key, change))
		})
	}
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		text   string
	}{
		{"good", form(func(url.Values) {}), 200, ""},
		{"another grant", form(func(f url.Values) { f.Set("grant_type", "password") }), 400, "AADSTS70003"},
		{"no secret", form(func(f url.Values) { f.Del("client_secret") }), 401, "AADSTS900144"},
		{"a delegated scope", form(func(f url.Values) { f.Set("scope", "User.Read") }), 400, "AADSTS1002012"},
		{"an assertion", assert(func(*assertion) {}), 200, ""},
		{"for another audience", assert(func(a *assertion) { a.claims.Audience = "https://example.com" }), 401, "AADSTS700023"},
		{"by another client", assert(func(a *assertion) { a.claims.Issuer = "nobody" }), 401, "AADSTS70021"},
		{"too old", assert(func(a *assertion) { a.claims.Expires = time.Now().Add(-time.Minute).Unix() }), 401, "AADSTS700024"},
		{"unsigned", assert(func(a *assertion) { a.header.Algorithm = "none" }), 401, "AADSTS700027"},
		{"no JWT", form(func(f url.Values) {
			f.Del("client_secret")
			f.Set("client_assertion_type", assertionType)
			f.Set("client_assertion", "nothing.known")
		}), 401, "AADSTS70021"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer := c.post(server.TenantID(), test.form)
			text, _ := answer["error_description"].(string)
			if status != test.status || !strings.HasPrefix(text, test.text) {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	if status, _ := c.post("common", form(func(url.Values) {})); status != 400 {
		t.Errorf("common tenant: %d", status)
	}
}
