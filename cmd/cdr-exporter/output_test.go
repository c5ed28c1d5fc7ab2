package main_test

import (
	"bytes"
	"sync"
)

// output keeps what a process writes. It is safe for concurrent use.
type output struct {
	mu   sync.Mutex
	data bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(p)
}

// Bytes is the output up to now.
func (o *output) Bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.data.Bytes())
}

// String is the output up to now.
func (o *output) String() string { return string(o.Bytes()) }

// tail is the end of what was written, for messages.
func (o *output) tail() string {
	const most = 4000
	text := o.Bytes()
	return string(text[max(0, len(text)-most):])
}
