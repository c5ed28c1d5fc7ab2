package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
)

// grantJWT is the grant type of a signed token (RFC 7523).
const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// assertion is a signed token, which is exchanged for access tokens. Its user's calls count, so
// another user's token isn't used (counting.md 33).
type assertion struct {
	text string // of the definition
	Same bool   // another user is of the same account
	user string // of the token at the start; empty if it names none
	ends atomic.Pointer[time.Time]

	owner string // of the first access token, if the token doesn't name its user
}

var errOtherUser = &advice.Error{
	What: "the signed token now belongs to another user, so the exporter doesn't use it: its calls may be another " +
		"account's",
	Todo: "restore a token of the former user; if the new user belongs to the same account, say so in the source's " +
		"block (RingCentral: account: same); otherwise configure a separate source",
}

// openAssertion reads the signed token for the first time: it names the account. Without it, calls
// would count under a name that the next start doesn't find.
func openAssertion(o *OAuth2, h *Credentials) (*assertion, error) {
	text, err := h.Source.Expand(context.Background(), o.Assertion)
	if err != nil {
		return nil, err
	}
	a := &assertion{text: o.Assertion, Same: language.Expand(o.SameAccount, h.Source.Values) != ""}
	a.user = a.note(text)
	return a, nil
}

// Who names the user in accounts. An account is stored and shown, and a user's id is personal, so it
// has a short hash, which is enough to tell two users apart (guarantee 9).
func (a *assertion) Who() string {
	if a.user == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(a.user))
	return "user-" + hex.EncodeToString(sum[:4])
}

// note stores the expiry of a signed token, and returns its user.
func (a *assertion) note(text string) (user string) {
	user, expires := readClaims(text)
	a.ends.Store(&expires)
	return user
}

// Expiry is the expiry of the signed token that was read last; zero if it has none. It reads no
// file, so that a mount that hangs doesn't stop a scrape.
func (a *assertion) Expiry() time.Time { return *a.ends.Load() }

// check reports another user's token.
func (a *assertion) check(text string) error {
	if user := a.note(text); user != a.user && !a.Same {
		return errOtherUser
	}
	return nil
}

// checkOwner reports an access token that belongs to another user, where the signed token names none.
func (a *assertion) checkOwner(owner string) error {
	if a.user != "" || owner == "" {
		return nil
	}
	if a.owner = cmp.Or(a.owner, owner); owner != a.owner && !a.Same {
		return errOtherUser
	}
	return nil
}

// plainSubject matches what may identify a user.
var plainSubject = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,128}$`)

// latestExpiry is the last second of the year 9999; a later time means never.
const latestExpiry = 253402300799

// readClaims reads the claims of a signed token (RFC 7519): the user and the expiry. Each may be
// missing; a text that isn't a JWT has none. The exporter can't check the signature and doesn't have
// to: the provider does.
func readClaims(token string) (user string, expires time.Time) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return user, expires
	}
	var body struct {
		Subject string  `json:"sub"`
		Expires float64 `json:"exp"` // may have a fraction
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &body, jsontext.AllowInvalidUTF8(true),
		jsontext.AllowDuplicateNames(true)) != nil {
		return user, expires
	}
	if plainSubject.MatchString(body.Subject) {
		user = body.Subject
	}
	if body.Expires > 0 && body.Expires <= latestExpiry {
		expires = time.Unix(int64(body.Expires), 0).UTC()
	}
	return user, expires
}
