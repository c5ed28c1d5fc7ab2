package simulator

import (
	"net"
	"strconv"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A parallel run doesn't get an address that was given out, although nothing listens there yet.
func TestFreeAddressIsGivenOutOnce(t *testing.T) {
	first, err := FreeAddress(t.Context())
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(first)
	require.NoError(t, err)
	taken, err := strconv.Atoi(port)
	require.NoError(t, err)
	if again, err := freeAddress(t.Context(), func() int { return taken }); err == nil {
		t.Errorf("%s is given out again", again)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", first)
	if err != nil {
		t.Fatalf("nothing can listen there: %v", err)
	}
	_ = l.Close()
}
