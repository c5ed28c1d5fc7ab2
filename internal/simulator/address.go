package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreeAddress is an unused loopback address, for a configuration that names an address before
// something listens there. Its port is below the range that systems use for outgoing connections,
// which could otherwise take it meanwhile.
func FreeAddress(ctx context.Context) (string, error) {
	var l net.Listener
	err := errors.New("tried no port")
	for tries := 0; err != nil && tries < 20; tries++ {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", 15_000+rand.IntN(15_000)))
	}
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}
