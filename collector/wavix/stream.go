package wavix

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// streamDecoder reads newline-delimited JSON as it arrives, a row a line, and hands the
// rows to the batch. Empty lines, a last line without its end and an empty answer are
// no fault; a line that is cut, or says that something failed, is one of the answer.
// It is for one goroutine.
type streamDecoder struct {
	batch *batch
	input *Input
}

// decode reads a stream to its end.
func (d *streamDecoder) decode(body io.Reader) error {
	d.batch.begin(wholeAnswer, 0)
	d.input.Reset(body)
	if err := d.input.Fault(d.lines()); err != nil {
		return err
	}
	return d.batch.end(-1)
}

func (d *streamDecoder) lines() error {
	SkipMark(d.input.Buffer)
	if err := NotHTML(d.input.Buffer); err != nil {
		return err
	}
	for {
		d.input.Next()
		raw, err := d.input.JSON.ReadValue()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			if raw, err = d.input.SkipLine(err); err != nil {
				return err
			}
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
	wire.Members(raw, func(name, value []byte) { r.member(strings.Trim(string(name), `"`), value) })
	return r.err()
}
