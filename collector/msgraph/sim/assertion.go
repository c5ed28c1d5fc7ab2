package sim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // x5t is a SHA-1 thumbprint (RFC 7515 4.1.7).
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// assertion is a client's signed JWT (RFC 7523).
type assertion struct {
	header struct {
		Algorithm string `json:"alg"`
		SHA1      string `json:"x5t"`
		SHA256    string `json:"x5t#S256"`
	}
	claims struct {
		Audience  string `json:"aud"`
		Issuer    string `json:"iss"`
		Subject   string `json:"sub"`
		Expires   int64  `json:"exp"`
		NotBefore int64  `json:"nbf"`
		ID        string `json:"jti"`
	}
	signed    string
	signature []byte
}

var errAssertion = errors.New("not a signed JWT")

func parseAssertion(text string) (assertion, error) {
	var a assertion
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return a, errAssertion
	}
	for i, into := range []any{&a.header, &a.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return a, errAssertion
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return a, errAssertion
	}
	a.signed, a.signature = parts[0]+"."+parts[1], signature
	return a, nil
}

// leeway is how far clocks may differ.
const leeway = 5 * time.Minute

// verify checks an assertion: signed by a registered certificate, for this
// endpoint, by this client, and in its time.
func (s *Server) verify(text string, known []*x509.Certificate, endpoint string) (int, any) {
	a, err := parseAssertion(text)
	if err != nil {
		return aad(http.StatusUnauthorized, invalidClient, aadNoFederation, "No matching federated identity record found for presented assertion.")
	}
	certificate := a.certificate(known)
	if certificate == nil || a.check(certificate) != nil {
		return aad(http.StatusUnauthorized, invalidClient, aadBadSignature, "The certificate with identifier used to sign the client assertion is not registered on application, or the signature is invalid.")
	}
	now := time.Now()
	switch {
	case a.claims.Audience != endpoint:
		return aad(http.StatusUnauthorized, invalidClient, aadWrongAudience, "Client assertion audience claim does not match Realm issuer.")
	case a.claims.Issuer != s.settings.ClientID || a.claims.Subject != s.settings.ClientID || a.claims.ID == "":
		return aad(http.StatusUnauthorized, invalidClient, aadNoFederation, "The assertion's issuer, subject and id must be given.")
	case now.After(time.Unix(a.claims.Expires, 0)) || now.Add(leeway).Before(time.Unix(a.claims.NotBefore, 0)):
		return aad(http.StatusUnauthorized, invalidClient, aadExpired, "Client assertion is not within its valid time range.")
	}
	return http.StatusOK, nil
}

// certificate is the registered one that the header names.
func (a *assertion) certificate(known []*x509.Certificate) *x509.Certificate {
	for _, c := range known {
		one := sha1.Sum(c.Raw) //nolint:gosec // As above.
		two := sha256.Sum256(c.Raw)
		if isThumbprint(a.header.SHA1, one[:]) || isThumbprint(a.header.SHA256, two[:]) {
			return c
		}
	}
	return nil
}

// isThumbprint compares a header with a hash: RFC 7515 wants base64url, Microsoft's
// own libraries send plain base64, and the platform takes both.
func isThumbprint(text string, hash []byte) bool {
	return text == base64.RawURLEncoding.EncodeToString(hash) || text == base64.StdEncoding.EncodeToString(hash)
}

func (a *assertion) check(c *x509.Certificate) error {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errAssertion
	}
	digest := sha256.Sum256([]byte(a.signed))
	switch a.header.Algorithm {
	case "RS256":
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], a.signature)
	case "PS256":
		return rsa.VerifyPSS(key, crypto.SHA256, digest[:], a.signature, nil)
	}
	return errAssertion
}
