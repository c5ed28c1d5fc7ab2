package subscriptions

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Limits on the cost of a flood. Graph sends far less, and repeats refused requests.
const (
	// maxBody limits a request, maxItem one notification and maxValidationToken the echoed token,
	// in bytes; maxItems limits the notifications of a request.
	maxBody            = 1 << 20
	maxItem            = 16 << 10
	maxItems           = 5_000
	maxValidationToken = 4 << 10
	// smallBody is how much of a request is read first, about a hundred notifications. The rest is
	// read only if this part contains the secret. The constant below limits how many such requests
	// are read at a time, because of their memory.
	smallBody   = 64 << 10
	largeAtOnce = 8
	// strangersPerSecond is how many requests without the secret are decoded a second on average,
	// and twice as many at once.
	strangersPerSecond = 250
	// readTimeout is how long a request may take to send its body: a stalled one holds a connection
	// but blocks no other request. storeTimeout is how long the ledger may take, for storesAtOnce
	// requests. Graph waits for ten seconds.
	readTimeout  = 3 * time.Second
	storeTimeout = 3 * time.Second
	storesAtOnce = 64
)

// handler answers Graph: the handshake, change notifications and lifecycle notifications. It sends
// no request to Graph, and acknowledges only what is durable.
type handler struct {
	manager *Manager
	tenant  string // tenant id; empty if the configuration has only a domain
	now     func() time.Time
	enqueue collector.Enqueue

	strangers *rate.Limiter
	// large limits the large requests that are read, storing the requests that wait for the ledger.
	large, storing *semaphore.Weighted
}

func newHandler(m *Manager, tenant string, now func() time.Time, enqueue collector.Enqueue) *handler {
	if !graph.IsGUID(tenant) {
		tenant = ""
	}
	return &handler{
		manager: m, tenant: tenant, now: now, enqueue: enqueue,
		strangers: rate.NewLimiter(strangersPerSecond, 2*strangersPerSecond),
		large:     semaphore.NewWeighted(largeAtOnce), storing: semaphore.NewWeighted(storesAtOnce),
	}
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	if query := r.URL.Query(); query.Has("validationToken") {
		echoToken(w, query.Get("validationToken"))
		return
	}
	h.receive(w, r)
}

// refuse answers with a status and nothing that a stranger could learn from.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
}

// refuseBusy tells Graph to send the request again later.
func refuseBusy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	refuse(w, http.StatusServiceUnavailable)
}

// echoToken returns the decoded token as plain text, which is Graph's handshake.
func echoToken(w http.ResponseWriter, token string) {
	if token == "" || len(token) > maxValidationToken {
		refuse(w, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, token) // an error means that the client has left
}

func (h *handler) receive(w http.ResponseWriter, r *http.Request) {
	// Servers without deadlines, as in tests, return an error.
	deadline := time.Now().Add(readTimeout) //nolint:forbidigo // a connection's
	_ = http.NewResponseController(w).SetReadDeadline(deadline)
	b := batch{handler: h, at: h.now(), counts: map[string]int{}}
	err := b.read(http.MaxBytesReader(w, r.Body, maxBody))
	if errors.Is(err, errBusy) {
		h.manager.observer.Notifications("refused", 1)
		refuseBusy(w)
		return
	}
	if err != nil {
		h.manager.observer.Notifications("invalid", 1)
		status := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status)
		return
	}
	if len(b.tasks) > 0 || b.lifecycle {
		queued, err := h.store(r.Context(), b.tasks)
		if err != nil {
			h.manager.observer.Notifications("refused", max(1, len(b.tasks)))
			refuseBusy(w) // nothing is durable, so Graph must send all of it again
			return
		}
		b.counts["accepted"] += queued
		b.counts["duplicate"] += len(b.tasks) - queued
	}
	for result, count := range b.counts {
		h.manager.observer.Notifications(result, count)
	}
	if len(b.tasks) > 0 {
		h.manager.noteNotified(b.at)
	}
	w.WriteHeader(http.StatusAccepted)
}

// store makes tasks durable, or gives up while the ledger still waits, for example for another
// program that locks it. If the ledger stores them after all, the provider's retry is a duplicate.
func (h *handler) store(ctx context.Context, tasks []work.Item) (int, error) {
	if !h.storing.TryAcquire(1) {
		return 0, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	type result struct {
		queued   int
		err      error
		panicked any
	}
	stored := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.panicked = recover()
			stored <- r
			h.storing.Release(1)
		}()
		r.queued, r.err = h.enqueue(ctx, tasks)
	}()
	select {
	case r := <-stored:
		if r.panicked != nil {
			panic(r.panicked) // net/http logs it and closes the connection
		}
		return r.queued, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

type notification struct {
	ClientState    string `json:"clientState"`
	LifecycleEvent string `json:"lifecycleEvent"`
	TenantID       string `json:"tenantId"`
	Resource       string `json:"resource"`
	ResourceData   struct {
		ID string `json:"id"`
	} `json:"resourceData"`
}

// recordID is the id of the call record, or empty if it isn't a GUID: only a GUID may become part
// of a link.
func (n *notification) recordID() string {
	last := n.Resource[strings.LastIndexByte(n.Resource, '/')+1:]
	for _, id := range []string{n.ResourceData.ID, last} {
		if graph.IsGUID(id) {
			return strings.ToLower(id)
		}
	}
	return ""
}

type batch struct {
	handler   *handler
	at        time.Time
	tasks     []work.Item
	lifecycle bool           // there is a lifecycle notification
	counts    map[string]int // by result; those of tasks are known when they are durable
}

// errBusy: the limit of requests read or stored at once is reached.
var errBusy = errors.New("too many requests at once")

// read reads a body. Requests without the secret have a separate budget, and their large bodies
// aren't read at all, so strangers use nothing that Graph's requests need.
func (b *batch) read(body io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(body, smallBody))
	if err == nil && !b.handler.manager.mayBeAuthentic(content) &&
		(len(content) == smallBody || !b.handler.strangers.Allow()) {
		return errBusy
	}
	if err == nil && len(content) == smallBody {
		if !b.handler.large.TryAcquire(1) {
			return errBusy
		}
		defer b.handler.large.Release(1)
		var rest []byte
		rest, err = io.ReadAll(body)
		content = append(content, rest...)
	}
	if err != nil {
		return err
	}
	var list graph.Collection[json.RawMessage]
	if err := json.Unmarshal(content, &list); err != nil || list.Value == nil || len(list.Value) > maxItems {
		return errors.New("the body has no notifications, or too many")
	}
	for _, raw := range list.Value {
		var n notification
		if len(raw) > maxItem || json.Unmarshal(raw, &n) != nil {
			b.counts["invalid"]++ // the request's other notifications may be valid
			continue
		}
		b.add(&n)
	}
	return nil
}

func (b *batch) add(n *notification) {
	m, id := b.handler.manager, n.recordID()
	switch {
	case !m.isAuthentic(n.ClientState),
		b.handler.tenant != "" && n.TenantID != "" && !strings.EqualFold(n.TenantID, b.handler.tenant):
		b.counts["forged"]++
	case n.LifecycleEvent != "" && m.noteLifecycle(n.LifecycleEvent):
		b.counts["accepted"]++
		b.lifecycle = true
	case n.LifecycleEvent != "", id == "":
		b.counts["invalid"]++
	default:
		b.tasks = append(b.tasks, work.Item{Kind: TaskNotified, Key: id, Version: b.at.UnixMicro()}) // due at once
	}
}
