package wavix

import (
	"context"
	"sync/atomic"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// The generations of the API, as far as its paths differ.
const (
	unknownGeneration int32 = iota
	newGeneration           // since 2026: /v1/cdrs, /v1/calls
	oldGeneration           // /v1/cdr, /v1/call
)

// generation remembers which paths an account has. It is found out once, by the first
// answer that isn't 404. Later a 404 means what it says: a newer path that answers so
// for a moment mustn't send everything to the older one. The other way there is an
// upgrade of the account, which also happens once: an older path that is gone while the
// newer one answers. It is safe for concurrent use.
type generation struct{ found atomic.Int32 }

// fetch asks for the path of the generation that was found, and while none was for
// both, the newer one first. The error after two 404s is that of the first.
func (g *generation) fetch(ctx context.Context, client *httpclient.Client, newer, older httpclient.Request,
	use func(*httpclient.Response) error,
) error {
	first, second := newer, older
	found := g.found.Load()
	if found == oldGeneration {
		first, second = older, newer
	}
	err := g.try(ctx, client, first, first.Label == newer.Label, use)
	if found == newGeneration || httpclient.KindOf(err) != httpclient.KindNotFound {
		return err
	}
	other := g.try(ctx, client, second, second.Label == newer.Label, use)
	switch {
	case httpclient.KindOf(other) != httpclient.KindNotFound:
		return other
	case found == oldGeneration:
		return err
	}
	return &noPathError{error: err, older: older.Label}
}

// try asks for a path and remembers its generation if it answers.
func (g *generation) try(ctx context.Context, client *httpclient.Client, request httpclient.Request, isNewer bool,
	use func(*httpclient.Response) error,
) error {
	return client.Fetch(ctx, request, func(response *httpclient.Response) error {
		err := use(response)
		switch {
		case err != nil:
		case isNewer:
			g.found.Store(newGeneration)
		default:
			g.found.CompareAndSwap(unknownGeneration, oldGeneration)
		}
		return err
	})
}

// noPathError is an account that has neither path.
type noPathError struct {
	error
	older string
}

// Error implements error.
func (e *noPathError) Error() string { return e.error.Error() + ", and so is " + e.older }

// Unwrap returns the refusal of the newer path.
func (e *noPathError) Unwrap() error { return e.error }
