package main_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// keepFull fills a file system again and again, as a log that grows does, until it is called to stop.
func keepFull(name string) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			case <-time.After(200 * time.Millisecond):
			}
			if f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err == nil {
				for size := 1 << 20; size > 0; {
					if _, err = f.Write(make([]byte, size)); err != nil {
						size /= 2
					}
				}
				_ = f.Close()
			}
		}
	}()
	return func() { close(ended); <-done }
}

// TestRefreshTokenOnAFullDisk: the disk fills up before a refresh token is spent or while it is,
// and the exporter is stopped or killed on it. The account isn't locked out: with room again, a
// start reads on.
func TestRefreshTokenOnAFullDisk(t *testing.T) {
	for name, c := range map[string]struct {
		during bool
		end    func(x *exporter)
	}{
		"full before it, stopped": {end: (*exporter).stop},
		"full before it, killed":  {end: (*exporter).kill},
		"full during it, stopped": {during: true, end: (*exporter).stop},
		"full during it, killed":  {during: true, end: (*exporter).kill},
	} {
		t.Run(name, func(t *testing.T) {
			rows, _ := webexRows(60)
			rows = slices.DeleteFunc(rows, func(r webexRow) bool { return r.inserted.After(time.Now()) })
			s := &webex{rows: rows, refresh: "r3fresh-token-0", healthy: true, strict: true}
			s.Server = httptest.NewTLSServer(s)
			t.Cleanup(s.Close)
			file := (&listServer{Server: s.Server}).write(t,
				fmt.Sprintf("    webex: {client_id: app, client_secret_file: secret.txt, refresh_token: "+
					"r3fresh-token-0, base_url: %q, token_url: %q,"+
					" cdr: {interval: 1s}}\nlabels: [{name: location}, {name: department}]\n", s.URL,
					s.URL+"/v1/access_token"))
			folder := filepath.Join(filepath.Dir(file), "ledger")
			if !mountSmallDisk(t, folder, 24<<20) {
				return
			}
			filling := filepath.Join(folder, "filling")
			grants := func() int {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.grants
			}
			x := start(t, newVault(t), launch{config: file}).ready()
			full := make(chan func(), 1)
			if c.during {
				s.mu.Lock()
				s.spending = func() {
					if fillDisk(t, filling); len(full) == 0 {
						full <- keepFull(filling)
					}
				}
				s.mu.Unlock()
				// An access token is used only after it is stored, so a kill before that may lose
				// the refresh token's result.
				eventually(t, "spend a token on a full disk and use what it gave", func() error {
					s.mu.Lock()
					defer s.mu.Unlock()
					if s.grants < 2 || s.used != s.access {
						return fmt.Errorf("%d tokens were given; the last one was used: %t", s.grants,
							s.used == s.access)
					}
					return nil
				})
			} else {
				full <- keepFull(filling)
				<-time.After(10 * time.Second) // longer than a token lives
			}
			c.end(x)
			(<-full)()
			s.mu.Lock()
			s.spending = nil
			s.mu.Unlock()
			if err := os.Remove(filling); err != nil {
				t.Fatal(err)
			}
			before := grants()
			x = start(t, newVault(t), launch{config: file}).ready()
			eventually(t, "go on with the token that was kept", func() error {
				if s.mu.Lock(); len(s.wrong) > 0 {
					t.Errorf("wrong requests: %q", s.wrong)
				}
				s.mu.Unlock()
				if f := x.feed("shop", "cdr"); f.State != "ok" || grants() <= before {
					return fmt.Errorf("state %s, last error %q, %d tokens were given", f.State, f.LastError, grants())
				}
				return nil
			})
			x.stop()
		})
	}
}
