package main_test

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// TestUnaskedBytes: what a gateway sends behind the end of an answer, as one does that changes a
// body and not its length, is in no log.
func TestUnaskedBytes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	given := make(chan struct{}, 1)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			answerLonger(connection)
			select {
			case given <- struct{}{}:
			default:
			}
		}
	}()
	s.write("shop.yaml", fmt.Sprintf(`
provider: shop
http: {base_url: "http://%s"}
feeds:
  calls:
    request: {path: /calls, query: {since: "{from|rfc3339}", until: "{to|rfc3339}"}}
    filter: {by: start}
    rows: calls
    record: {id: id, start: {path: started, time: rfc3339}, outcome: {is: answered}}
`, listener.Addr()))
	s.vault.hide("a number behind an answer", unaskedNumber)
	x := start(t, s.vault, launch{config: s.write("config.yaml", `
storage: {path: ledger}
definitions: [shop.yaml]
sources:
  - {name: shop, history: 1h, shop: {calls: {interval: 1s}}}
`)}).ready()
	select {
	case <-given:
	case <-time.After(waitTimeout):
		t.Fatal("no answer was read, and its connection closed")
	}
	x.stop()
}

const unaskedNumber = "+491715550123"

// answerLonger gives one answer that is longer than it says, and returns once the client has closed the connection.
func answerLonger(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	if _, err := connection.Read(make([]byte, 16<<10)); err != nil {
		return
	}
	const body = `{"calls":[]}`
	_, _ = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+
		"%d\r\n\r\n%s{\"caller\":%q}", len(body), body, unaskedNumber)
	_, _ = io.Copy(io.Discard, connection)
}
