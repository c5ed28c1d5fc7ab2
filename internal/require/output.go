package require

import (
	"bytes"
	"sync"
)

// Output keeps what a process or a log writes. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	data bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(p)
}

// Bytes is the output up to now.
func (o *Output) Bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.data.Bytes())
}

// String is the output up to now.
func (o *Output) String() string { return string(o.Bytes()) }

// Tail is the end of what was written, for messages.
func (o *Output) Tail() string {
	const most = 4000
	text := o.Bytes()
	return string(text[max(0, len(text)-most):])
}
