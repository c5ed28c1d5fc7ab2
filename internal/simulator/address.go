package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreeAddress is an unused loopback address: what listens there is named in a configuration before it does. Its port is below those that
// systems give to outgoing connections, one of which would take it meanwhile.
func FreeAddress(ctx context.Context) (string, error) {
	var l net.Listener
	err := errors.New("no port was tried")
	for tries := 0; err != nil && tries < 20; tries++ {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", 15_000+rand.IntN(15_000)))
	}
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
