package httpclient

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBodies(t *testing.T) {
	const page = `{"value":[1,2,3]}`
	plain := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	// zipped has parts that are packed, and then others that aren't.
	zipped := func(behind string, parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			for _, part := range parts {
				writeGzip(w, []byte(part), 0)
			}
			_, _ = io.WriteString(w, behind)
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		kind    Kind
		text    string
		took    time.Duration
		again   bool
	}{
		{name: "whole", handler: plain(page)},
		{
			name: "too slow, though never silent for long: the headers come with the first byte",
			handler: func(w http.ResponseWriter, r *http.Request) {
				dribble(w, r, page, 59*time.Second)
			}, kind: KindBody, text: "read body: it took too long", took: 59*time.Second + 10*time.Minute, again: true,
		},
		{name: "slow, but in time", handler: func(w http.ResponseWriter, r *http.Request) {
			dribble(w, r, page, 30*time.Second)
		}, took: time.Duration(len(page)) * 30 * time.Second},
		{name: "stops", handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, page[:5])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, kind: KindBody, text: "read body: nothing came for 1m0s", took: time.Minute, again: true},
		{name: "cut before its length", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(page)))
			_, _ = io.WriteString(w, page[:5])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, kind: KindBody, text: "read body: cut short", again: true},
		{name: "cut between chunks", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, page[:5])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, kind: KindBody, text: "read body: cut short", again: true},
		{name: "exactly at the limit", handler: plain(strings.Repeat("x", 1000))},
		{
			name: "a byte over the limit", handler: plain(strings.Repeat("x", 1001)),
			kind: KindTooLarge, text: "the body is larger than 1000 bytes",
		},
		{name: "gzip", handler: zipped("", page)},
		{name: "gzip, then zeros", handler: zipped(strings.Repeat("\x00", 16), page)},
		{name: "gzip in two parts", handler: zipped("", page, strings.Repeat("x", 1000-len(page)))},
		{
			name: "gzip, the second part cut", handler: zipped("\x1f", page),
			kind: KindBody, text: "read body: cut short", again: true,
		},
		{
			name: "gzip bomb", handler: zipped("", strings.Repeat("\x00", 10<<20)),
			kind: KindTooLarge, text: "the body is larger than 1000 bytes",
		},
		{name: "gzip without an end", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packer, random := gzip.NewWriter(w), rand.New(rand.NewPCG(1, 2))
			for err := error(nil); err == nil; {
				_, err = packer.Write(binary.LittleEndian.AppendUint64(nil, random.Uint64()))
			}
		}, kind: KindTooLarge, text: "the body is larger than 1000 bytes"},
		{name: "gzip, cut behind all that was packed", handler: func(w http.ResponseWriter, _ *http.Request) {
			writeGzip(w, []byte(page), 0)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, kind: KindBody, text: "read body: cut short", again: true},
		{name: "gzip cut", handler: func(w http.ResponseWriter, _ *http.Request) {
			writeGzip(w, []byte(page), 10)
		}, kind: KindBody, text: "read body: cut short", again: true},
		{
			name: "gzip cut in the name of its file", handler: zipped("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xffcalls"),
			kind: KindBody, text: "read body: connection closed", again: true,
		},
		{
			name: "not gzip", handler: zipped(page),
			kind: KindBody, text: "read body: gzip: invalid header", again: true,
		},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			client := newTest(t, pipeServer(t, test.handler), func(s *Settings) { s.BaseURL = "http://127.0.0.1" })
			started := time.Now()
			got, err := client.Get(t.Context(), Request{URL: "/x", Label: "calls", MaxBody: 1000})
			took := time.Since(started)
			if KindOf(err) != test.kind || IsRetryable(err) != test.again || (err == nil) != (test.kind == "") {
				t.Errorf("error %v (kind %s, retryable %v), want kind %s, %v", err, KindOf(err), IsRetryable(err),
					test.kind, test.again)
			}
			if err != nil && err.Error() != "GET calls: "+test.text {
				t.Errorf("error %q, want %q", err, "GET calls: "+test.text)
			}
			if err == nil && !strings.HasPrefix(string(got), page) && len(got) != 1000 {
				t.Errorf("got %q", got)
			}
			if len(got) > 1000 || took != test.took {
				t.Errorf("%d bytes after %v, want %v", len(got), took, test.took)
			}
		})
	}
}

func dribble(w http.ResponseWriter, r *http.Request, text string, gap time.Duration) {
	for i := range len(text) {
		select {
		case <-time.After(gap):
		case <-r.Context().Done():
			return
		}
		_, _ = io.WriteString(w, text[i:i+1])
		_ = http.NewResponseController(w).Flush()
	}
}

// writeGzip leaves the last bytes out.
func writeGzip(w http.ResponseWriter, content []byte, leaveOut int) {
	var packed bytes.Buffer
	packer := gzip.NewWriter(&packed)
	_, _ = packer.Write(content)
	_ = packer.Close()
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(packed.Bytes()[:packed.Len()-leaveOut])
}

func TestErrorBody(t *testing.T) {
	transport, _ := script(replies(403, strings.Repeat("x", 100<<10)))
	_, err := newTest(t, transport, nil).Get(t.Context(), Request{URL: "/x"})
	e, ok := errors.AsType[*Error](err)
	if !ok || len(e.Body) != 8<<10 || e.Status != 403 {
		t.Errorf("%d bytes, status %d; want 8 KiB of a 403", len(e.Body), e.Status)
	}
}

// A refused answer whose body never ends is still told.
func TestErrorBodyThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newTest(t, pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "part")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})), func(s *Settings) { s.BaseURL = "http://127.0.0.1" })
		started := time.Now()
		_, err := client.Get(t.Context(), Request{URL: "/x"})
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindNotFound || string(e.Body) != "part" || time.Since(started) != 10*time.Second {
			t.Errorf("error %v after %v", err, time.Since(started))
		}
	})
}
