package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// FreeAddress is an unused loopback address, for a configuration that names an address before
// something listens there. Its port is below the range that systems use for outgoing connections,
// which could otherwise take it meanwhile. No other caller gets it, in any process, until this process ends.
func FreeAddress(ctx context.Context) (string, error) {
	return freeAddress(ctx, func() int { return 15_000 + rand.IntN(15_000) })
}

// reserved are the UDP sockets that mark the ports that this process has given out. They stay open until it ends.
var reserved struct {
	sync.Mutex
	all []net.PacketConn
}

func freeAddress(ctx context.Context, port func() int) (string, error) {
	err := errors.New("tried no port")
	for tries := 0; err != nil && tries < 20; tries++ {
		address := fmt.Sprintf("127.0.0.1:%d", port())
		if err = reserve(ctx, address); err == nil {
			return address, nil
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}

// reserve marks a port by a UDP socket with its number, which disturbs no TCP listener, if nothing listens there.
func reserve(ctx context.Context, address string) error {
	mark, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		return errors.Join(err, mark.Close())
	}
	reserved.Lock()
	defer reserved.Unlock()
	reserved.all = append(reserved.all, mark)
	return nil
}
