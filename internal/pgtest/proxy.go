package pgtest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Proxy forwards TCP connections to a server until a test cuts or stalls them. Its methods are safe
// for concurrent use.
type Proxy struct {
	// Addr is its host:port.
	Addr string

	listener net.Listener
	wait     sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	target string
	cut    bool
	conns  map[net.Conn]bool
	pass   chan struct{} // closed while bytes may pass
}

// NewProxy listens on a loopback port until the test ends.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	p, err := RunProxy(tb.Context(), target)
	require.NoError(tb, err)
	tb.Cleanup(p.Close)
	return p
}

// RunProxy is NewProxy for a program that isn't a test. It must call Close.
func RunProxy(ctx context.Context, target string) (*Proxy, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		Addr: l.Addr().String(), listener: l, target: target, conns: make(map[net.Conn]bool),
		pass: make(chan struct{}),
	}
	close(p.pass)
	p.wait.Go(p.accept)
	return p, nil
}

// Close stops listening and closes all connections.
func (p *Proxy) Close() {
	_ = p.listener.Close() // ends accept
	p.Cut()
	p.wait.Wait()
}

// SetTarget sends new connections to another server; open connections stay.
func (p *Proxy) SetTarget(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = address
}

// Cut closes all connections, and each new one at once. Bytes that Stall held back are lost.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close() // pump handles the close
	}
	p.letPass()
}

// Stall accepts connections and bytes but forwards nothing in either direction, not even a close: a
// partition.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stalled() {
		p.pass = make(chan struct{})
	}
}

// Resume ends Cut and Stall. Bytes that Stall held back arrive late, perhaps a COMMIT whose sender
// gave up long ago.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	p.letPass()
}

func (p *Proxy) letPass() {
	if p.stalled() {
		close(p.pass)
	}
}

func (p *Proxy) stalled() bool {
	select {
	case <-p.pass:
		return false
	default:
		return true
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

// serve forwards one connection in both directions until a side closes it.
func (p *Proxy) serve(client net.Conn) {
	defer p.forget(client)
	if !p.remember(client) {
		return
	}
	<-p.passing()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return
	}
	defer p.forget(server)
	if !p.remember(server) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { p.pump(client, server) })
	p.pump(server, client)
	back.Wait()
}

// pump forwards bytes until a side closes, then closes both.
func (p *Proxy) pump(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-p.passing()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = errors.Join(err, failed)
			}
		}
		if err != nil {
			_, _ = to.Close(), from.Close() // done with
			return
		}
	}
}

func (p *Proxy) passing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pass
}

// remember adds a connection to those that Cut closes; it returns false while all are cut.
func (p *Proxy) remember(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cut {
		p.conns[c] = true
	}
	return !p.cut
}

func (p *Proxy) forget(c io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.(net.Conn))
	_ = c.Close() // it may be closed already
}
