package ringcentral

import (
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// claims are what the exporter looks at in the user's JWT. It can't check the
// signature, and needn't: RingCentral does.
type claims struct {
	// Subject is the user, by the id of the extension.
	Subject string
	// Expires is when the JWT ends; zero if it doesn't.
	Expires time.Time
}

// plainSubject is what may become part of a fingerprint.
var plainSubject = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,128}$`)

// latestExpiry is the last second of the year 9999: beyond it, a time means never.
const latestExpiry = 253402300799

// readClaims reads the claims of a JWT (RFC 7519), of which each may be missing. What is
// no JWT has none.
func readClaims(token string) claims {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	var body struct {
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"` // may have a fraction
	}
	if json.Unmarshal(payload, &body, rowOptions) != nil {
		return claims{}
	}
	var c claims
	if plainSubject.MatchString(body.Subject) {
		c.Subject = body.Subject
	}
	if body.Expires > 0 && body.Expires <= latestExpiry {
		c.Expires = time.Unix(int64(body.Expires), 0).UTC()
	}
	return c
}
