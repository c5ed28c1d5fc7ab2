package simulator

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
)

// Transport answers requests without a connection, in the caller's goroutine and by its clock. So a
// provider also works in a bubble of testing/synctest.
func (h *Host) Transport() http.RoundTripper { return memoryTransport{h.server.Handler} }

type memoryTransport struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	received := r.Clone(r.Context())
	received.RequestURI, received.Host = r.URL.RequestURI(), r.URL.Host
	if received.Body == nil {
		received.Body = http.NoBody
	}
	defer received.Body.Close()
	w := httptest.NewRecorder()
	w.Code = 0
	complete := t.serve(w, received)
	if w.Code == 0 {
		return nil, syscall.ECONNRESET
	}
	response := w.Result()
	response.Request = r
	if !complete {
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(w.Body.Bytes()), cut{}))
	}
	return response, nil
}

// serve is false if the handler broke the answer off.
func (t memoryTransport) serve(w http.ResponseWriter, r *http.Request) (complete bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
		}
	}()
	t.handler.ServeHTTP(w, r)
	return true
}

// cut is the end of a body that was broken off.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
