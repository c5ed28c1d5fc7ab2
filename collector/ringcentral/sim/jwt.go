package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// claims are a JWT's.
type claims struct {
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Issuer   string `json:"iss"`
	Expires  int64  `json:"exp,omitzero"`
	Issued   int64  `json:"iat"`
	ID       string `json:"jti"`
	// Mark is none of RingCentral's: it says which JWTs were revoked.
	Mark int `json:"mark"`
}

const jwtHeader = `{"kid":"8762f598d05944dbb86bf5ca97804700","typ":"JWT","alg":"HS256"}`

// OtherUser is another user of the account, whose JWTs work too.
const OtherUser = "62264425999"

// MintJWT makes a JWT of the user's; one without end if the lifetime is below zero, one
// that has expired if it is zero. It works until RevokeJWT.
func (s *Server) MintJWT(lifetime time.Duration) string { return s.MintJWTFor(userID, lifetime) }

// MintJWTFor makes a JWT of a user's.
func (s *Server) MintJWTFor(user string, lifetime time.Duration) string {
	now := s.wall.Now()
	c := claims{
		Audience: s.BaseURL() + "/restapi/oauth/token", Subject: user, Issuer: s.BaseURL(), Issued: now.Unix(),
		ID: "Simulated-Jti-0001", Mark: s.registered().mark,
	}
	if lifetime >= 0 {
		c.Expires = now.Add(lifetime).Unix()
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(jwtHeader)) + "." + base64.RawURLEncoding.EncodeToString(encode(c))
	return signed + "." + s.seal(signed)
}

// seal signs a text.
func (s *Server) seal(text string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// verify checks a JWT, and says what is wrong with it.
func (s *Server) verify(jwt string) (problem string) {
	cut := strings.LastIndexByte(jwt, '.')
	if cut < 0 || !hmac.Equal([]byte(s.seal(jwt[:cut])), []byte(jwt[cut+1:])) {
		return "Invalid assertion: signature"
	}
	_, payload, _ := strings.Cut(jwt[:cut], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	var c claims
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return "Invalid assertion"
	}
	switch {
	case c.Subject != userID && c.Subject != OtherUser || c.Issuer != s.BaseURL() || c.Mark != s.registered().mark:
		return "Invalid assertion: subject, issuer or token"
	case c.Expires != 0 && s.wall.Now().Unix() >= c.Expires:
		return "Invalid assertion: expired"
	}
	return ""
}
