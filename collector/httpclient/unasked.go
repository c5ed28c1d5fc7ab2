package httpclient

import (
	"bytes"
	"io"
	"log" //nolint:depguard // what net/http writes to
	"sync"
)

// hideUnasked keeps what a server sends behind an answer, which may hold callers' numbers, out of the default logger, where net/http writes it. All else that
// a Collector, say, writes there is let through.
var hideUnasked = sync.OnceFunc(func() { log.SetOutput(withoutUnasked{log.Writer()}) })

type withoutUnasked struct{ io.Writer }

func (w withoutUnasked) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}
