package history

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// runBuffer is how much of each run is in memory while runs are merged.
const runBuffer = 1 << 15

// runWriter writes changes, which come in order, to a file.
type runWriter struct {
	name string
	file *os.File
	out  *bufio.Writer
	buf  []byte
	text []byte
}

func createRun(name string) (*runWriter, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep a part of the history on disk: %w", err)
	}
	return &runWriter{name: name, file: f, out: bufio.NewWriterSize(f, runBuffer)}, nil
}

// write writes a change; close returns the error if it couldn't be.
func (w *runWriter) write(c *change) {
	b := binary.AppendUvarint(w.buf[:0], uint64(c.family))
	b = binary.AppendUvarint(b, uint64(c.series))
	b = binary.AppendVarint(b, c.at)
	b = binary.AppendUvarint(b, uint64(c.part))
	b = binary.AppendVarint(b, c.n)
	w.text = w.text[:0]
	if c.money.Sign() != 0 {
		w.text = c.money.Append(w.text)
	}
	b = append(binary.AppendUvarint(b, uint64(len(w.text))), w.text...)
	w.buf = b
	_, _ = w.out.Write(b) // Flush returns its error
}

func (w *runWriter) close() error {
	if err := errors.Join(w.out.Flush(), w.file.Close()); err != nil {
		return fmt.Errorf("keep a part of the history on disk: free some space where the output goes: %w", err)
	}
	return nil
}

// runReader reads a run.
type runReader struct {
	file *os.File
	in   *bufio.Reader
	now  change
	err  error
}

func openRun(name string) (*runReader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read a part of the history from disk: %w", err)
	}
	return &runReader{file: f, in: bufio.NewReaderSize(f, runBuffer)}, nil
}

// next reads the next change into now and says whether there is one.
func (r *runReader) next() (bool, error) {
	if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
		return false, nil
	}
	r.now = change{
		key:    key{family: int(r.uint()), series: int(r.uint()), at: r.int(), part: int(r.uint())},
		amount: amount{n: r.int()},
	}
	if text := r.text(); text != "" && r.err == nil {
		r.now.money, r.err = cdr.ParseMoneySum(text)
	}
	if r.err != nil {
		return false, fmt.Errorf("read a part of the history from disk: %w", r.err)
	}
	return true, nil
}

func (r *runReader) uint() uint64 {
	n, err := binary.ReadUvarint(r.in)
	r.err = cmp.Or(r.err, err)
	return n
}

func (r *runReader) int() int64 {
	n, err := binary.ReadVarint(r.in)
	r.err = cmp.Or(r.err, err)
	return n
}

// errText is a length that no sum of money has.
var errText = errors.New("it is damaged")

func (r *runReader) text() string {
	n := r.uint()
	if r.err != nil || n == 0 {
		return ""
	}
	if n > runBuffer {
		r.err = errText
		return ""
	}
	text := make([]byte, n)
	_, err := io.ReadFull(r.in, text)
	r.err = cmp.Or(r.err, err)
	return string(text)
}
