package push

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// maxPosted limits a body, in bytes.
	maxPosted = 1 << 20
	// maxRecords limits the records of a body, because of their memory; they may be of two bytes.
	maxRecords = 20_000
	// postsAtOnce is how many bodies are read and committed at a time, because of their memory;
	// others wait for postWait.
	postsAtOnce = 16
	postWait    = 10 * time.Second
	// postReadTimeout is the time for a body to arrive.
	postReadTimeout = 10 * time.Second
)

// handler accepts records that a system posts, and answers 2xx once they are durable.
type handler struct {
	*Receiver

	inbox   collector.Inbox
	refused rate.Sometimes // limits the warnings
	slots   *semaphore.Weighted
}

// Handler accepts the records of an inbox.
func (r *Receiver) Handler(inbox collector.Inbox) http.Handler {
	return &handler{
		Receiver: r, inbox: inbox, refused: rate.Sometimes{Interval: 10 * time.Second},
		slots: semaphore.NewWeighted(postsAtOnce),
	}
}

// reply is an answer other than 204: its status, and what to do about it.
type reply struct {
	status int
	says   string
}

// The results that requests count as, except for invalid ones, and the headers of answers.
var (
	postResults = map[int]string{
		http.StatusNoContent: "accepted", http.StatusUnauthorized: "forged",
		http.StatusServiceUnavailable: "refused",
	}
	postHeaders = map[int][2]string{
		http.StatusMethodNotAllowed:     {"Allow", http.MethodPost},
		http.StatusUnsupportedMediaType: {"Accept-Encoding", "gzip"},
		http.StatusUnauthorized:         {"WWW-Authenticate", `Basic realm="records"`},
		http.StatusServiceUnavailable:   {"Retry-After", "5"},
	}
)

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	answer := h.receive(w, r)
	if h.Observer != nil {
		h.Observer.Notifications(cmp.Or(postResults[answer.status], "invalid"), 1)
	}
	if answer.status == http.StatusNoContent {
		w.WriteHeader(answer.status)
		return
	}
	if header, is := postHeaders[answer.status]; is {
		w.Header().Set(header[0], header[1])
	}
	http.Error(w, answer.says, answer.status)
	h.refused.Do(func() {
		h.Logger.Warn("Refused a posted record; the sender has to post it again", "status", answer.status, "problem",
			answer.says)
	})
}

func (h *handler) receive(w http.ResponseWriter, r *http.Request) reply {
	if r.Method != http.MethodPost {
		return reply{http.StatusMethodNotAllowed, "Use POST."}
	}
	if answer := h.authorize(r); answer.status != 0 {
		return answer
	}
	waiting, stop := context.WithTimeout(r.Context(), postWait)
	defer stop()
	if h.slots.Acquire(waiting, 1) != nil {
		return reply{http.StatusServiceUnavailable, "Too many records at once: post this one again."}
	}
	defer h.slots.Release(1)
	// an error means a server without deadlines, as in tests
	deadline := time.Now().Add(postReadTimeout) //nolint:forbidigo // a connection's
	_ = http.NewResponseController(w).SetReadDeadline(deadline)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPosted))
	_, large := errors.AsType[*http.MaxBytesError](err)
	var records []rows.Row
	answer := tooLarge
	switch {
	case err == nil:
		records, answer = h.read(r.Header, body)
	case !large: // shippers drop a body after 400
		return reply{http.StatusServiceUnavailable, "The body didn't arrive within 10 s: post it again."}
	}
	if answer.status != 0 { // a shipper drops what is refused: it is a row that can't be read, which people see
		records = []rows.Row{{Raw: rows.Quoted(string(body)), Problem: answer.says}}
	}
	if h.store(r.Context(), records) != nil { // store's callee logs it
		return reply{http.StatusServiceUnavailable, "The record can't be stored now: post it again."}
	}
	answer.status = cmp.Or(answer.status, http.StatusNoContent)
	return answer
}

// read reads the records of a body, or says why it is refused.
func (h *handler) read(header http.Header, body []byte) ([]rows.Row, reply) {
	body, answer := decompressed(header.Get("Content-Encoding"), body)
	if answer.status != 0 {
		return nil, answer
	}
	records, err := h.records(header.Get("Content-Type"), body)
	switch {
	case errors.Is(err, ErrTooMany):
		return nil, reply{http.StatusRequestEntityTooLarge, ErrTooMany.Error()}
	case err != nil:
		return nil, reply{http.StatusBadRequest, err.Error()}
	}
	return records, reply{}
}

var tooLarge = reply{
	http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB: post fewer records at a time.",
}

// decompressed is a body without its compression, which has the same limit, or why it is refused.
func decompressed(coding string, body []byte) ([]byte, reply) {
	switch strings.ToLower(coding) {
	case "", "identity":
		return body, reply{}
	case "gzip", "x-gzip":
	default:
		return nil, reply{http.StatusUnsupportedMediaType, "Post without Content-Encoding, or with gzip."}
	}
	in, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(in, maxPosted+1))
	}
	switch {
	case err != nil:
		return nil, reply{http.StatusBadRequest, "The body isn't gzip, although its Content-Encoding says so."}
	case len(body) > maxPosted:
		return nil, tooLarge
	}
	return body, reply{}
}

// authorize checks the token, which is sent as bearer or as the password of basic authentication.
// Its time depends only on the text's length.
func (h *handler) authorize(r *http.Request) reply {
	want, err := h.Token.Value(r.Context())
	if err != nil {
		return reply{http.StatusServiceUnavailable, "The token of the source can't be read."}
	}
	_, got, _ := r.BasicAuth()
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		got = token
	}
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	if want == "" || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return reply{
			http.StatusUnauthorized,
			"Post with the source's token as bearer, or as the password of basic authentication.",
		}
	}
	return reply{}
}

// store commits all records if this replica reads the feed; otherwise it stores them in the ledger for the replica that
// does.
func (h *handler) store(ctx context.Context, records []rows.Row) error {
	page := new(collector.Page)
	for i := range records {
		h.put(page, &records[i])
	}
	collector.Twins{}.Number(page.Records)
	err := h.inbox.Commit(ctx, page)
	if errors.Is(err, collector.ErrReadElsewhere) {
		_, err = h.inbox.Enqueue(ctx, []work.Item{h.task(records)})
	}
	return err
}
