package msgraph

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/crypto/pkcs12"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// certificate is the client certificate of a source. It is read for each token, so that a renewed file needs no reload.
type certificate struct {
	content, password config.Secret

	mu       sync.Mutex
	notAfter time.Time // guarded by mu; of the certificate that was read last
}

// load reads the certificate with its chain and key. Its errors are *TokenError.
func (c *certificate) load(ctx context.Context) ([]*x509.Certificate, crypto.PrivateKey, error) {
	content, err := c.content.Bytes(ctx)
	if err != nil {
		return nil, nil, unreadableSecret(err)
	}
	password, err := c.password.Value(ctx)
	if err != nil {
		return nil, nil, unreadableSecret(err)
	}
	isPEM := bytes.Contains(content, []byte("-----BEGIN "))
	if isPEM {
		password = "" // with one, the parser takes everything for PKCS #12
	}
	certs, key, err := azidentity.ParseCertificates(content, []byte(password))
	switch {
	case err != nil && isPEM:
		return nil, nil, badCertificate(err.Error()) // a fixed text
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, badCertificate("client_certificate_password doesn't open it")
	case err != nil:
		return nil, nil, badCertificate("it is neither PEM nor a PKCS #12 file of the legacy kind")
	}
	own := slices.IndexFunc(certs, func(cert *x509.Certificate) bool { return belongs(cert, key) })
	if own < 0 {
		return nil, nil, badCertificate("its private key belongs to none of its certificates")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notAfter = certs[own].NotAfter
	return certs, key, nil
}

// expiry is when the certificate ends; the one read last if the file can't be read, zero if it never could.
func (c *certificate) expiry() time.Time {
	_, _, _ = c.load(context.Background()) // the next request for a token shows the error
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notAfter
}

// belongs says whether a private key is the certificate's.
func belongs(cert *x509.Certificate, key crypto.PrivateKey) bool {
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if !ok {
		return false
	}
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(private.Public())
}

func badCertificate(why string) *TokenError {
	return &TokenError{
		what: "the client certificate can't be used: " + why,
		todo: "put certificate and RSA key, not encrypted, into one PEM file, or into a PKCS #12 file made with " +
			"openssl pkcs12 -export -legacy, and name it in client_certificate_file",
	}
}
