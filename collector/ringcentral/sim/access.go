package sim

import "slices"

// registration is what RingCentral knows of the app and its user.
type registration struct {
	secret, jwt         string
	scopes, permissions []string
	locked, grantless   bool
	// mark is that of JWTs that still work.
	mark int
}

func newRegistration(s *Settings) registration {
	return registration{
		secret: s.ClientSecret, scopes: slices.Clone(s.Scopes), permissions: slices.Clone(s.Permissions),
	}
}

// registered is the registration as it is now.
func (s *Server) registered() registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients
}

func (s *Server) register(change func(*registration)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.clients)
}

// SetSecret replaces the client secret.
func (s *Server) SetSecret(secret string) { s.register(func(r *registration) { r.secret = secret }) }

// RevokeJWT makes a new JWT; the old ones stop working.
func (s *Server) RevokeJWT() {
	s.register(func(r *registration) { r.mark++ })
	jwt := s.MintJWT(s.settings.JWTLifetime)
	s.register(func(r *registration) { r.jwt = jwt })
}

// SetScopes grants these app scopes, and no others, from now on.
func (s *Server) SetScopes(scopes ...string) {
	s.register(func(r *registration) { r.scopes = slices.Clone(scopes) })
}

// SetPermissions gives the user these permissions, and no others, from now on.
func (s *Server) SetPermissions(permissions ...string) {
	s.register(func(r *registration) { r.permissions = slices.Clone(permissions) })
}

// LockAccount refuses the user until it is told otherwise.
func (s *Server) LockAccount(locked bool) { s.register(func(r *registration) { r.locked = locked }) }

// AllowGrant says whether the app may use the JWT grant.
func (s *Server) AllowGrant(allowed bool) {
	s.register(func(r *registration) { r.grantless = !allowed })
}
