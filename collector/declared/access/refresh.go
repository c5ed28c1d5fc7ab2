package access

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// A provider may return another refresh token, which makes the old one worthless. So only the
// running exporter uses a refresh token that may be rotated, and only when the ledger has room for
// its successor. It stores the successor in the ledger before it uses the access token:
//
//	access token in the ledger ──┬─ valid, and not used here yet ─▶ use it
//	                             └─ otherwise ─▶ room in the ledger ─▶ use the refresh token
//	                                                                    ─▶ store the answer ─▶ use it
//
// A command can't store an answer, so it takes the second way only if the provider is known not to
// rotate tokens.

// grant is the answer to a refresh token that the ledger keeps for a source, encrypted.
type grant struct {
	// From is a digest of the configured refresh token: a newly configured one replaces the whole
	// grant.
	From []byte `json:"from"`
	// Refresh is the successor of the configured refresh token; empty if the provider returned
	// none.
	Refresh string    `json:"refresh"`
	Access  string    `json:"access"`
	Expires time.Time `json:"expires"`
}

// vault keeps a grant in the ledger. One goroutine uses it at a time.
type vault struct {
	load    func(ctx context.Context) ([]byte, error)                                // nil without a ledger
	replace func(ctx context.Context, spend func() (sealed []byte, err error)) error // nil if nothing can be stored
	title   string

	used string // the access token returned last
}

var errMustRun = &advice.Error{
	What: "the provider may rotate the refresh token, so only the running exporter uses it, and there is no " +
		"valid access token",
	Todo: "start the exporter with this configuration (`cdr-exporter run`) and retry while it runs",
}

// renewed returns an access token. spend requests one from the provider with a refresh token.
func (v *vault) renewed(
	ctx context.Context, configured, secret string, now time.Time, spend func(refresh string) (grant, error),
) (token httpclient.Token, err error) {
	seal, err := newSeal(secret)
	if err != nil {
		return token, err
	}
	from := sha256.Sum256([]byte(configured))
	kept, err := v.loadGrant(ctx, seal, from[:])
	if err != nil {
		return token, err
	}
	if kept.Access != "" && kept.Access != v.used && now.Before(kept.Expires) {
		return v.use(&kept), nil
	}
	if mayRotate := kept.From == nil || kept.Refresh != ""; mayRotate && v.replace == nil {
		return token, errMustRun
	}
	refresh := cmp.Or(kept.Refresh, configured)
	if v.replace == nil {
		got, err := spend(refresh)
		return httpclient.Token{Value: got.Access, Expires: got.Expires}, err
	}
	var got grant
	var refused error
	err = v.replace(ctx, func() ([]byte, error) {
		if got, refused = spend(refresh); refused != nil {
			return nil, refused
		}
		got.From, got.Refresh = from[:], cmp.Or(got.Refresh, kept.Refresh)
		if got.Refresh == configured {
			got.Refresh = ""
		}
		text, err := json.Marshal(got)
		if err != nil {
			return nil, errors.New("encode the token for the ledger")
		}
		return seal.Seal(nil, nil, text, nil), nil
	})
	switch {
	case refused != nil:
		return token, refused
	case err != nil:
		return token, httpclient.Retryable(fmt.Errorf("store the refresh token of %s in the ledger: %w", v.title, err))
	}
	return v.use(&got), nil
}

func (v *vault) use(g *grant) httpclient.Token {
	v.used = g.Access
	return httpclient.Token{Value: g.Access, Expires: g.Expires}
}

// loadGrant reads the grant for the configured refresh token. One that was encrypted under another
// client secret can't be read and is replaced.
func (v *vault) loadGrant(ctx context.Context, seal cipher.AEAD, from []byte) (kept grant, err error) {
	if v.load == nil {
		return kept, nil
	}
	sealed, err := v.load(ctx)
	if err != nil {
		return kept, httpclient.Retryable(fmt.Errorf("read the refresh token of %s from the ledger: %w", v.title, err))
	}
	text, err := seal.Open(nil, nil, sealed, nil)
	if readable := err == nil && json.Unmarshal(text, &kept) == nil; !readable ||
		subtle.ConstantTimeCompare(kept.From, from) != 1 {
		kept = grant{}
	}
	return kept, nil
}

// newSeal makes the encryption with a key derived from the client secret: the ledger alone isn't
// enough to decrypt.
func newSeal(secret string) (cipher.AEAD, error) {
	if secret == "" {
		return nil, &advice.Error{
			What: "the client secret is empty",
			Todo: "set it: it encrypts the refresh token that the provider rotates",
		}
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "cdr-exporter refresh token", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key from the client secret: %w", err)
	}
	return NewAEAD(key), nil
}

// NewAEAD encrypts with a 32-byte key, by AES-GCM with random nonces, which come before the text.
func NewAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the cipher isn't AES
	}
	return aead
}
