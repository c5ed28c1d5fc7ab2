package sim

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Graph accepts only its own tokens, with the scheme Bearer.
func TestAuthorisation(t *testing.T) {
	server, err := Start(Settings{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	token := server.issue()
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"none":        {"", http.StatusUnauthorized},
		"no scheme":   {token, http.StatusUnauthorized},
		"an unknown":  {"Bearer x", http.StatusUnauthorized},
		"with scheme": {"Bearer " + token, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.Header.Set("Authorization", c.header)
			got := 0
			if refusal := server.authorise(r); refusal != nil {
				got = refusal.Status
			}
			if got != c.want {
				t.Errorf("HTTP %d, want %d", got, c.want)
			}
		})
	}
}
