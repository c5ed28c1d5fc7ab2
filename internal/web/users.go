package web

import (
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"gopkg.in/yaml.v3"
)

// usersGuard refuses requests when a web configuration file that had users has none any more, for instance while an editor has emptied it:
// exporter-toolkit would let everyone in. An explicit `basic_auth_users: {}` is intended and accepted.
type usersGuard struct {
	next   http.Handler
	file   string
	logger *slog.Logger
	had    atomic.Bool    // users
	lost   rate.Sometimes // limits the log
}

func newUsersGuard(next http.Handler, file string, logger *slog.Logger) *usersGuard {
	g := &usersGuard{next: next, file: file, logger: logger, lost: rate.Sometimes{Interval: time.Minute}}
	g.areLost() // notes the users that it begins with
	return g
}

// ServeHTTP implements http.Handler.
func (g *usersGuard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.areLost() {
		g.next.ServeHTTP(w, r)
		return
	}
	g.lost.Do(func() {
		g.logger.Error("The web configuration file has no users any more, so all requests are refused. "+
			"Restore its basic_auth_users, or write `basic_auth_users: {}` if everyone is to be let in.", "file", g.file)
	})
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

// areLost says whether the file had users and now has none, without saying so explicitly.
func (g *usersGuard) areLost() bool {
	var c struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	text, err := os.ReadFile(g.file)
	if err != nil || yaml.Unmarshal(text, &c) != nil {
		return g.had.Load() // the toolkit refuses the request that finds it so
	}
	if c.Users != nil { // {} is a map; without the key, or with nothing behind it, there is none
		g.had.Store(len(c.Users) > 0)
		return false
	}
	return g.had.Load()
}
