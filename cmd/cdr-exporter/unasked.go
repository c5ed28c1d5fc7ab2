package main

import (
	"bytes"
	"io"
	"log" //nolint:depguard // what net/http writes to
)

// hideUnasked drops one kind of line from the default logger: net/http logs data that a server
// sends after an answer, which may contain callers' numbers. Other lines pass. Only the binary does
// this: a Collector's log belongs to its distribution.
func hideUnasked() { log.SetOutput(withoutUnasked{log.Writer()}) }

type withoutUnasked struct{ io.Writer }

func (w withoutUnasked) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	return w.Writer.Write(line)
}
