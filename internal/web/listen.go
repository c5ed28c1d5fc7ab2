package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// Listen opens a TCP listener for each address (host:port; an empty host is all
// of them, port 0 a free one). If one can't be opened, those before it are closed
// and the error names the address. Addresses of systemd sockets and vsock, which
// exporter-toolkit only opens together with serving them, are not taken.
func Listen(ctx context.Context, addresses []string) ([]net.Listener, error) {
	if len(addresses) == 0 {
		return nil, errors.New("listen: no address is given")
	}
	var config net.ListenConfig
	listeners := make([]net.Listener, 0, len(addresses))
	for _, address := range addresses {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("listen on %q: %w", address, err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// closeAll closes what may be closed already.
func closeAll[C io.Closer](all []C) {
	for _, one := range all {
		_ = one.Close()
	}
}
