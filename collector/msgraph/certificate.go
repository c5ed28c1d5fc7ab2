package msgraph

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/crypto/pkcs12"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// certificate is the client certificate of a source. It is read for each token, so
// that a renewed file needs no reload.
type certificate struct {
	content, password config.Secret

	mu       sync.Mutex
	seen     fileStamp // guarded by mu
	notAfter time.Time // guarded by mu
}

// fileStamp tells whether a file has changed. That of an inline secret is always the
// same.
type fileStamp struct {
	modified time.Time
	size     int64
	read     bool
}

// load reads the certificate with its chain and key. Errors are *TokenError.
func (c *certificate) load(ctx context.Context) ([]*x509.Certificate, crypto.PrivateKey, error) {
	stamp := c.stamp()
	certs, key, err := c.parse(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = stamp
	if err != nil {
		return nil, nil, err
	}
	c.notAfter = leaf(certs, key).NotAfter
	return certs, key, nil
}

// expiry is when the certificate ends; of one that can't be read, what was read
// last; zero if it never could.
func (c *certificate) expiry() time.Time {
	c.mu.Lock()
	changed := c.seen != c.stamp()
	c.mu.Unlock()
	if changed {
		// An error shows when the certificate is used, with what to do about it.
		_, _, _ = c.load(context.Background())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notAfter
}

func (c *certificate) stamp() fileStamp {
	stamp := fileStamp{read: true}
	if name := c.content.File(); name != "" {
		if info, err := os.Stat(name); err == nil {
			stamp.modified, stamp.size = info.ModTime(), info.Size()
		}
	}
	return stamp
}

func (c *certificate) parse(ctx context.Context) ([]*x509.Certificate, crypto.PrivateKey, error) {
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
		if bytes.Contains(content, []byte("ENCRYPTED")) {
			return nil, nil, badCertificate("its PEM private key is encrypted")
		}
	}
	certs, key, err := azidentity.ParseCertificates(content, []byte(password))
	var unsupported pkcs12.NotImplementedError
	switch {
	case err == nil && leaf(certs, key) == nil:
		return nil, nil, badCertificate("its private key belongs to none of its certificates")
	case err == nil:
		return certs, key, nil
	case isPEM:
		return nil, nil, badCertificate("it lacks a certificate or its private key")
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, badCertificate("client_certificate_password doesn't open it")
	case errors.As(err, &unsupported):
		return nil, nil, badCertificate("it is a PKCS #12 file of a newer kind")
	}
	return nil, nil, badCertificate("it is neither PEM nor PKCS #12")
}

// leaf is the certificate that the key belongs to, nil if there is none.
func leaf(certs []*x509.Certificate, key crypto.PrivateKey) *x509.Certificate {
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if !ok {
		return nil
	}
	for _, cert := range certs {
		public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		if ok && public.Equal(private.Public()) {
			return cert
		}
	}
	return nil
}

func badCertificate(why string) *TokenError {
	return &TokenError{
		what: "the client certificate can't be used: " + why,
		todo: "put certificate and RSA key, not encrypted, into one PEM file, or into a PKCS #12 file made with " +
			"openssl pkcs12 -export -legacy, and name it in client_certificate_file",
	}
}
