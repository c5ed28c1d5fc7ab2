package simulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// Authority is a new self-signed certificate for servers on loopback. A client that trusts it as an
// authority trusts the server.
type Authority struct{ Certificate tls.Certificate }

// NewAuthority makes a certificate with a new key, which is valid for a month.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	now := time.Now()
	serial := big.NewInt(now.UnixNano())
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Simulated provider " + serial.String()},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return &Authority{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// CA is the certificate without its key, in PEM.
func (a *Authority) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Certificate[0]})
}

// Key is the key of the certificate, in PEM.
func (a *Authority) Key() []byte {
	der, _ := x509.MarshalPKCS8PrivateKey(a.Certificate.PrivateKey) // such a key always encodes
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// WriteCA writes CA to a file, for tls_config.ca_file.
func (a *Authority) WriteCA(path string) error {
	if err := os.WriteFile(path, a.CA(), 0o644); err != nil { //nolint:gosec // A certificate is public.
		return fmt.Errorf("write authority: %w", err)
	}
	return nil
}

// Pool trusts only this certificate: for clients in the same process.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.CA())
	return pool
}
