package sim

import (
	"maps"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	// maxWhole is how many rows of an export are made before the first is sent, maxCut
	// how many of one that is then cut.
	maxWhole = 1000
	maxCut   = 100_000
	// buffered is how much of an export is written at once.
	buffered = 64 << 10
)

// stream is how an export goes out.
type stream struct {
	// limit is how many rows are sent; the copies of a row come with it.
	limit int
	// blank has empty lines, newline one at the end, cut half a row after the last.
	blank, newline, cut bool
	// tail is sent after the rows.
	tail []byte
}

// export answers with rows as newline-delimited JSON.
func (e *exchange) export(request simulator.Request) {
	l, q := e.listing(), e.query
	total := l.total()
	skip, count := 0, total
	if q.paged || e.settings.ExportLimited {
		skip = min(q.skip(), total)
		count = min(q.perPage, total-skip)
	}
	fault := e.faults.Next(request, func(f simulator.Fault) bool {
		switch f {
		case CutLine, ShortStream, ErrorInStream, NoFinalNewline:
			return count > 0
		case BlankLines:
			return true
		default:
			return isAnywhere(f)
		}
	})
	if a, ok := e.instead(fault); ok {
		e.write(fault, a, 0)
		return
	}
	s := stream{limit: count, newline: !e.settings.ExportCutNewline}
	switch fault {
	case simulator.NoFault, CutLine, ShortStream, ErrorInStream, BlankLines, NoFinalNewline:
		s.spoil(fault)
		if count > maxWhole {
			e.send(l, skip, &s, fault)
			return
		}
	case simulator.CutLength, simulator.CutChunked:
		s.limit = min(s.limit, maxCut)
	case simulator.Slow:
	default:
		// It is answered without rows.
		s.limit = 0
	}
	var body []byte
	rows := e.render(l, skip, &s, &body, func() bool { return true })
	a := e.answer(body)
	a.Type, a.Header = ndjson, exportHeader()
	e.write(fault, a, rows)
}

const ndjson = "application/x-ndjson"

// exportHeader is what Wavix's samples have.
func exportHeader() http.Header {
	return http.Header{"Last-Modified": {"0"}, "Etag": {"0"}}
}

// spoil makes a fault's stream of the right one.
func (s *stream) spoil(fault simulator.Fault) {
	switch fault {
	case CutLine:
		s.limit, s.cut = s.limit/2, true
	case ShortStream:
		s.limit /= 2
	case ErrorInStream:
		s.limit /= 2
		s.tail = append(failureOf(http.StatusServiceUnavailable, ""), '\n')
		s.newline = true
	case BlankLines:
		s.blank = true
	case NoFinalNewline:
		s.newline = false
	default:
	}
}

// send writes a stream as it is made.
func (e *exchange) send(l *listing, skip int, s *stream, fault simulator.Fault) {
	e.seen.Fault, e.seen.Status = fault, http.StatusOK
	a := e.answer(nil)
	head := e.w.Header()
	maps.Copy(head, exportHeader())
	head.Set("Content-Type", ndjson)
	head.Set("Date", a.Now.UTC().Format(http.TimeFormat))
	e.w.WriteHeader(http.StatusOK)
	body := make([]byte, 0, buffered+4096)
	e.seen.Rows = e.render(l, skip, s, &body, func() bool {
		if len(body) < buffered {
			return true
		}
		_, err := e.w.Write(body)
		body = body[:0]
		return err == nil
	})
	// That the client is gone is its own affair.
	_, _ = e.w.Write(body)
}

// render appends a stream's lines to a body. After each, flush may take them away, and
// says whether to go on.
func (e *exchange) render(l *listing, skip int, s *stream, body *[]byte, flush func() bool) int {
	writer := writer{format: exportOf(e.generation, e.settings.ExportFewer)}
	rows, going := 0, true
	l.page(skip, s.limit, func(r *row, v *version) {
		if !going {
			return
		}
		if rows > 0 {
			*body = append(*body, '\n')
			going = flush()
		}
		if s.blank {
			*body = append(*body, "\n\n"...)
		}
		*body = writer.json(*body, r, v)
		rows++
	})
	if rows > 0 && s.newline || s.cut && rows > 0 {
		*body = append(*body, '\n')
	}
	if s.cut {
		l.page(skip+s.limit, 1, func(r *row, v *version) {
			line := writer.json(nil, r, v)
			*body = append(*body, line[:len(line)/2]...)
		})
	}
	if s.blank {
		*body = append(*body, '\n')
	}
	*body = append(*body, s.tail...)
	return rows
}
