package wavix

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// streamDecoder reads newline-delimited JSON as it arrives, a row a line, and hands the
// rows to the batch. Empty lines, a last line without its end and an empty answer are
// no fault; a line that is cut, or says that something failed, is one of the answer.
// It is for one goroutine.
type streamDecoder struct {
	batch *batch
	input *input
}

// decode reads a stream to its end.
func (d *streamDecoder) decode(body io.Reader) error {
	d.batch.begin(wholeAnswer, 0)
	d.input.reset(body)
	if err := d.input.fault(d.lines()); err != nil {
		return err
	}
	return d.batch.end(-1)
}

func (d *streamDecoder) lines() error {
	skipMark(d.input.buffer)
	if err := notHTML(d.input.buffer); err != nil {
		return err
	}
	for {
		d.input.next()
		raw, err := d.input.json.ReadValue()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := refusedLine(raw); err != nil {
			return err
		}
		if err := d.batch.object(raw); err != nil {
			return err
		}
	}
}

// refusedLine is the refusal that a line of a stream is, if it is one: an error that
// came after the answer had begun.
func refusedLine(raw jsontext.Value) error {
	if raw.Kind() != '{' || !bytes.Contains(raw, []byte("success")) && !bytes.Contains(raw, []byte("error")) {
		return nil
	}
	var r refusal
	members(raw, func(name, value []byte) { r.member(strings.Trim(string(name), `"`), value) })
	return r.err()
}
