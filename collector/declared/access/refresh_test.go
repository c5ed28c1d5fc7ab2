package access_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const refreshing = "  headers: {X-Key: k}\n  auth: {oauth2: {token_url: TOKEN, client_id: app, client_secret: " +
	"'{secret}', refresh_token: '{refresh}'}}\n"

// rotating is a provider that answers each refresh token with the next, and a ledger.
type rotating struct {
	declaredtest.API

	rotates bool
	refresh string // that is good
	spent   []string
	access  string
	kept    []byte
	unkept  []byte
	failing error // of the ledger, before a token is spent
	breaks  error // of the ledger, after that
}

func newRotating(rotates bool) *rotating {
	f := &rotating{rotates: rotates, refresh: "refresh0"}
	f.Refresh = "refresh0"
	f.Load = func(context.Context) ([]byte, error) {
		if f.unkept != nil && f.breaks == nil {
			f.kept, f.unkept = f.unkept, nil
		}
		if f.unkept != nil {
			return nil, f.breaks
		}
		return f.kept, nil
	}
	f.Replace = func(_ context.Context, spend func() ([]byte, error)) error {
		if f.failing != nil {
			return f.failing
		}
		sealed, err := spend()
		switch {
		case err != nil:
			return err
		case f.breaks != nil:
			f.unkept = sealed
			return f.breaks
		}
		f.kept = bytes.Clone(sealed)
		return nil
	}
	f.Answer = func(r *http.Request) (string, http.Header) {
		if r.Method != http.MethodPost {
			if r.Header.Get("Authorization") != "Bearer "+f.access {
				return "!401", nil
			}
			return declaredtest.Rows(1), nil
		}
		body, _ := io.ReadAll(r.Body)
		form := string(body)
		token := strings.TrimPrefix(form[strings.LastIndex(form, "&")+1:], "refresh_token=")
		f.spent = append(f.spent, token)
		if token != f.refresh || !strings.HasPrefix(form,
			"client_id=app&client_secret=cl1ent&grant_type=refresh_token&") {
			return "!400", nil
		}
		f.access = fmt.Sprintf("a%d", len(f.spent))
		if f.rotates {
			f.refresh = fmt.Sprintf("refresh%d", len(f.spent))
		}
		return fmt.Sprintf(`{"access_token":%q,"refresh_token":%q,"expires_in":3600}`, f.access, f.refresh), nil
	}
	return f
}

// read opens the source again, as a start does, and reads.
func (f *rotating) read(t *testing.T) error {
	t.Helper()
	auth := strings.Replace(refreshing, "TOKEN", "/token", 1)
	_, err := declaredtest.ReadHour(t, f.Open(t, auth, "    request: {path: /calls}\n    filter: {by: start}\n"))
	return err
}

// TestRefreshToken: each token is used once, also across starts. Its successor is stored,
// encrypted, before the access token is used. A newly configured token replaces it.
func TestRefreshToken(t *testing.T) {
	f := newRotating(true)
	step := func(name string, wantError bool, spent ...string) {
		t.Helper()
		if err := f.read(t); (err != nil) != wantError {
			t.Errorf("%s: error %v", name, err)
		}
		if !slices.Equal(f.spent, spent) {
			t.Errorf("%s: %q were spent, want %q", name, f.spent, spent)
		}
		if bytes.Contains(f.kept, []byte(f.refresh)) && len(f.kept) > 0 || bytes.Contains(f.kept, []byte(`"access"`)) {
			t.Errorf("%s: the ledger has %q", name, f.kept)
		}
	}
	step("first start", false, "refresh0")
	step("second start, with the access token that was kept", false, "refresh0")
	f.access = "revoked"
	step("the access token was revoked", false, "refresh0", "refresh1")
	f.Now = f.Now.Add(2 * time.Hour)
	step("it has expired", false, "refresh0", "refresh1", "refresh2")
	f.refresh, f.Refresh = "new", "new"
	step("configured anew", false, "refresh0", "refresh1", "refresh2", "new")
	f.Now = f.Now.Add(2 * time.Hour)
	step("its successor", false, "refresh0", "refresh1", "refresh2", "new", "refresh4")
}

// TestRefreshTokenIsKeptFirst: while the ledger can't be written no refresh token is spent. If it
// fails afterwards, the access token isn't used and no further refresh token is spent, also after
// the source was opened again.
func TestRefreshTokenIsKeptFirst(t *testing.T) {
	for name, c := range map[string]struct {
		fail     func(f *rotating, err error)
		spent    int
		reopened bool
	}{
		"before":                    {fail: func(f *rotating, err error) { f.failing = err }},
		"after":                     {fail: func(f *rotating, err error) { f.breaks = err }, spent: 1},
		"after, and it is reloaded": {fail: func(f *rotating, err error) { f.breaks = err }, spent: 1, reopened: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newRotating(true)
				c.fail(f, errors.New("the disk is full"))
				auth := strings.Replace(refreshing, "TOKEN", "/token", 1)
				open := func() *collector.FeedInfo {
					return f.Open(t, auth, "    request: {path: /calls}\n    filter: {by: start}\n")
				}
				info := open()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for _, err := range info.Reader.Pages(ctx, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon) {
					if err == nil {
						t.Error("a page was read")
					}
				}
				if slices.Contains(f.Asked, "/calls") || len(f.spent) != c.spent {
					t.Errorf("asked for %q, %q were spent", f.Asked, f.spent)
				}
				c.fail(f, nil)
				if c.reopened {
					info = open()
				}
				if _, err := declaredtest.ReadHour(t, info); err != nil || len(f.spent) != 1 {
					t.Errorf("%v, %q were spent", err, f.spent)
				}
			})
		})
	}
}

// TestRefreshTokenOfCommands: a command can't store a token, so it doesn't use one that may rotate.
func TestRefreshTokenOfCommands(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		f := newRotating(rotates)
		run := f.Replace
		f.Replace = nil
		if err := f.read(t); err == nil || !strings.Contains(err.Error(), "only the running exporter uses it") ||
			len(f.spent) > 0 {
			t.Errorf("before the exporter has run: %v, %q were spent", err, f.spent)
		}
		f.Replace = run
		require.NoError(t, f.read(t))
		f.Replace = nil
		if err := f.read(t); err != nil || len(f.spent) != 1 {
			t.Errorf("with the exporter running: %v, used %q", err, f.spent)
		}
		f.Now = f.Now.Add(2 * time.Hour)
		if err := f.read(t); (err == nil) == rotates {
			t.Errorf("after the access token has expired: %v, rotates %t", err, rotates)
		}
	}
}

// TestTokenLife: a token is used for as long as its answer says, in whichever form; one whose life
// can't be read is still a token.
func TestTokenLife(t *testing.T) {
	for life, want := range map[string]int{
		`3600`: 1, `"3600"`: 1, `3600.0`: 1, `99999999999999`: 1, `60`: 2, `"60"`: 2,
		`null`: 2, `"soon"`: 2, `-1`: 2,
	} {
		f, tokens := new(declaredtest.API), 0
		f.Answer = func(r *http.Request) (string, http.Header) {
			if r.Method != http.MethodPost {
				return declaredtest.Rows(1), nil
			}
			tokens++
			return `{"access_token":"a","expires_in":` + life + `}`, nil
		}
		info := f.Open(t, "  auth: {oauth2: {token_url: /token, params: {assertion: x}}}\n",
			"    request: {path: /calls}\n    filter: {by: start}\n")
		for range 2 {
			if _, err := declaredtest.ReadHour(t, info); err != nil {
				t.Fatalf("%s: %v", life, err)
			}
			f.Now = f.Now.Add(30 * time.Minute)
		}
		if tokens != want {
			t.Errorf("%s: %d token requests, want %d", life, tokens, want)
		}
	}
}

// TestTokenHeaders: a definition's headers go to the API's host only, and a client's id may be absent.
func TestTokenHeaders(t *testing.T) {
	for address, want := range map[string]string{
		"/token": "k", "https://api.acmetel.example:443/token": "k",
		"https://login.acmetel.example/token": "",
	} {
		f, seen := new(declaredtest.API), "?"
		f.Answer = func(r *http.Request) (string, http.Header) {
			if r.Method != http.MethodPost {
				return declaredtest.Rows(1), nil
			}
			body, _ := io.ReadAll(r.Body)
			seen = r.Header.Get("X-Key") + string(body)
			return `{"access_token":"a","expires_in":60}`, nil
		}
		auth := "  headers: {X-Key: k}\n  auth: {oauth2: {token_url: '" + address + "', params: {assertion: x}}}\n"
		info := f.Open(t, auth, "    request: {path: /calls}\n    filter: {by: start}\n")
		if _, err := declaredtest.ReadHour(t, info); err != nil || seen != want+"assertion=x" {
			t.Errorf("%s got %q, %v", address, seen, err)
		}
	}
}
