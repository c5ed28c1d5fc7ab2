package otlp

import "context"

// attempt is what the transport saw of the last request made under a context. The
// SDK tells its exporter's caller only texts, which hold the endpoint's words.
type attempt struct {
	// made: there was a request.
	made bool
	// problem is in our words; empty if the endpoint accepted.
	problem string
}

type attemptKey struct{}

// withAttempt is a context whose last request is noted.
func withAttempt(ctx context.Context) (context.Context, *attempt) {
	a := &attempt{}
	return context.WithValue(ctx, attemptKey{}, a), a
}

// note notes how a request under the context went.
func note(ctx context.Context, problem string) {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		a.made, a.problem = true, problem
	}
}
