package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestRefreshTokenRotates: a refresh token that is worth nothing once it was spent is in the ledger: after a
// kill, a restart and a command the next one is known.
func TestRefreshTokenRotates(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	grants, lists, refresh, access := 0, 0, "r3fresh-token-0", ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/token" && r.FormValue("refresh_token") == refresh:
			grants++
			refresh, access = fmt.Sprintf("r3fresh-token-%d", grants), fmt.Sprintf("acc3ss-token-%d", grants)
			fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"expires_in":5}`, access, refresh)
		case r.Header.Get("Authorization") == "Bearer "+access:
			lists++
			fmt.Fprint(w, `{"items":[]}`)
		default:
			t.Errorf("%s got a token that is worth nothing", r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	s := newSite(t)
	s.trust(server)
	for i := 1; i < 30; i++ { // the first one stands in the configuration
		s.vault.hide("a refresh token", fmt.Sprintf("r3fresh-token-%d", i))
	}
	s.vault.hide("the access token", "acc3ss-token")
	config := s.configureSources(settings{}, fmt.Sprintf("  - name: cloud\n    tls_config: {ca_file: ca.pem}\n"+
		"    webex: {client_id: app, client_secret: s3cret, refresh_token: r3fresh-token-0, base_url: %q,\n"+
		"      token_url: %q, cdr: {interval: 1s}}\n", server.URL, server.URL+"/token"))
	asked := func(what *int) int {
		mu.Lock()
		defer mu.Unlock()
		return *what
	}
	for _, end := range []func(*exporter){(*exporter).kill, (*exporter).stop} {
		x, spent, read := start(t, s.vault, launch{config: config}).serving(), asked(&grants), asked(&lists)
		eventually(t, "get a token and read", func() error {
			x.running()
			if asked(&grants) == spent || asked(&lists) == read {
				return fmt.Errorf("%d tokens, %d lists", asked(&grants), asked(&lists))
			}
			return nil
		})
		end(x)
	}
	start(t, s.vault, launch{args: []string{"check", "sources", "--config.file=" + config}}).exited(0)
}
