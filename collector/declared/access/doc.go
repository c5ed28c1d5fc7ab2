// Package access authorizes requests: keys in headers and queries, tokens of OAuth 2.0, and signed
// tokens. Each request reads its secret from the file again; no stored or shown text has it.
//
//	auth.go         how a definition says it
//	credentials.go  headers and secrets of a request
//	tokens.go       tokens of OAuth 2.0
//	assertion.go    a signed token that names its user
//	refresh.go      refresh tokens that the provider rotates
package access
