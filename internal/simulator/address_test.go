package simulator

import (
	"net"
	"strconv"
	"testing"
)

// A parallel run doesn't get an address that was given out, although nothing listens there yet.
func TestFreeAddressIsGivenOutOnce(t *testing.T) {
	first, err := FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(first)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := freeAddress(t.Context(), func() int { return taken }); err == nil {
		t.Errorf("%s is given out again", again)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", first)
	if err != nil {
		t.Fatalf("nothing can listen there: %v", err)
	}
	_ = l.Close()
}
