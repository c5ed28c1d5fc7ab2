package msgraph

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// rolesOf are the application permissions that a token carries (access token claims, `roles`). Only people see them: Graph says by its answers
// what is allowed, and may issue tokens that can't be read.
func rolesOf(token string) []string {
	var claims struct {
		Roles []string `json:"roles"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(body, &claims)
	}
	return claims.Roles
}
