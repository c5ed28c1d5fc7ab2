package web

import (
	"net"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestListenFailureOpensNothing(t *testing.T) {
	taken, err := Listen(t.Context(), []string{"127.0.0.1:0"})
	require.NoError(t, err)
	defer closeAll(taken)
	free, err := Listen(t.Context(), []string{"127.0.0.1:0"})
	require.NoError(t, err)
	address := free[0].Addr().String()
	closeAll(free)

	for name, test := range map[string]struct {
		addresses []string
		problem   string
	}{
		"taken":   {[]string{address, taken[0].Addr().String()}, `listen on "` + taken[0].Addr().String() + `": `},
		"no port": {[]string{address, "127.0.0.1"}, `listen on "127.0.0.1": `},
	} {
		if _, err := Listen(t.Context(), test.addresses); err == nil || !strings.HasPrefix(err.Error(), test.problem) {
			t.Errorf("%s: got %v, want %s", name, err, test.problem)
		}
	}
	var config net.ListenConfig
	again, err := config.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("the first address was left open: %v", err)
	}
	_ = again.Close()
}
