package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"testing"
	"time"
)

// signed makes an assertion by hand, RS256 with an SHA-256 thumbprint.
func signed(t *testing.T, server *Server, certificate *x509.Certificate, key *rsa.PrivateKey, change func(*assertion)) string {
	t.Helper()
	var a assertion
	thumbprint := sha256.Sum256(certificate.Raw)
	a.header.Algorithm = "RS256"
	a.header.SHA256 = base64.RawURLEncoding.EncodeToString(thumbprint[:])
	a.claims.Audience = server.LoginURL() + "/" + server.TenantID() + "/oauth2/v2.0/token"
	a.claims.Issuer, a.claims.Subject, a.claims.ID = server.ClientID(), server.ClientID(), "1"
	a.claims.Expires = time.Now().Add(time.Minute).Unix()
	change(&a)
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(encode(v)) }
	text := part(a.header) + "." + part(a.claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func FuzzParseAssertion(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "e30.e30.", "e30.e30.AA", "bm8.e30.AA", "eyJhbGciOiJub25lIn0.e30.AA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAssertion(text)
		if err == nil && a.signed == "" {
			t.Error("an assertion without what was signed")
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		functions + "getPstnCalls" + day, functions + "getDirectRoutingCalls(fromDateTime=2026-03-02,toDateTime=2026-03-03)",
		functions + "getPstnCalls()", functions + "getPstnCalls(fromDateTime=%zz,toDateTime=)", "/", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		q, err := parsePath(path)
		if err == nil && (q.to.Before(q.from) || q.fromText == "" || q.toText == "") {
			t.Errorf("%+v was let through", q)
		}
	})
}
