package sim

import (
	"crypto/rand"
	"slices"
	"time"
)

// mostSessions is how many sessions a user has in one app.
const mostSessions = 5

// session is what an access token opens.
type session struct {
	token   string
	expires time.Time
	expired bool
}

// sessions are the user's in the app, the oldest first. Those that were killed are
// gone: their tokens aren't found.
type sessions struct {
	open    []session
	revoked int
}

// begin opens a session, and kills the oldest if there are too many.
func (s *Server) begin(lifetime time.Duration) string {
	// What RingCentral's tokens look like.
	token := "U0pDMTFQMDFQQVMwMHx" + rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	open := append(s.sessions.open, session{token: token, expires: s.wall.Now().Add(lifetime)})
	s.sessions.open = open[max(0, len(open)-mostSessions):]
	return token
}

// find is the session of a token.
func (s *Server) find(token string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.sessions.index(token)
	if i < 0 {
		return session{}, false
	}
	found := s.sessions.open[i]
	found.expired = found.expired || !s.wall.Now().Before(found.expires)
	return found, true
}

func (s *sessions) index(token string) int {
	return slices.IndexFunc(s.open, func(o session) bool { return o.token == token })
}

// end closes a session, and says whether it was there.
func (s *Server) end(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.sessions.index(token)
	if i < 0 {
		return false
	}
	s.sessions.open = slices.Delete(s.sessions.open, i, i+1)
	return true
}

// Sessions is the number of sessions that are open.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions.open)
}

// Revoked is the number of sessions that their owner revoked.
func (s *Server) Revoked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.revoked
}

// ExpireTokens makes all tokens that were issued so far expire.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.sessions.open {
		s.sessions.open[i].expired = true
	}
}

// KillSessions ends all sessions, as other logins of the same user do.
func (s *Server) KillSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions.open = nil
}
