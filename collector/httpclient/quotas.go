package httpclient

import "sync"

// Quotas remember, by credential, how much of a provider's limit is used and until when
// it wants to be left alone. They outlive clients: one that a reload makes would else
// begin with a full budget, or in the middle of a penalty that its first request begins
// anew; and two sources with one credential have one budget. The zero value is empty and
// ready. Its methods may be called from several goroutines at once.
type Quotas struct {
	mu   sync.Mutex
	all  map[string]*quota // guarded by mu; as many as credentials were ever configured
	kept map[string]any    // guarded by mu
}

// Keep is what was made for a key before, or else is made now: what a provider has to remember of a credential over reloads.
func (q *Quotas) Keep(key string, create func() any) any {
	if q == nil {
		return create()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if v, known := q.kept[key]; known {
		return v
	}
	if q.kept == nil {
		q.kept = make(map[string]any)
	}
	v := create()
	q.kept[key] = v
	return v
}

// quota is what is shared.
type quota struct {
	window   *window // nil: none
	throttle *throttle
}

// of finds or makes what a key stands for. Settings that differ from those before are
// taken over, and what is known stays.
func (q *Quotas) of(key string, settings *Window) (*window, *throttle, error) {
	if settings != nil {
		if err := settings.check(); err != nil {
			return nil, nil, err
		}
	}
	if q == nil || key == "" {
		own := quota{throttle: newThrottle()}
		own.configure(settings)
		return own.window, own.throttle, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	shared := q.all[key]
	if shared == nil {
		shared = &quota{throttle: newThrottle()}
		if q.all == nil {
			q.all = make(map[string]*quota)
		}
		q.all[key] = shared
	}
	shared.configure(settings)
	return shared.window, shared.throttle, nil
}

// configure takes over the settings of a window, if there is one.
func (q *quota) configure(settings *Window) {
	switch {
	case settings == nil:
		return
	case q.window == nil:
		q.window = newWindow(settings)
	default:
		q.window.configure(settings)
	}
	q.throttle.punish(settings.Penalty)
}
