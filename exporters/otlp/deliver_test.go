package otlp

import (
	"context"
	"errors"
	"testing"
)

// TestDeliver: what takes requests in place of an endpoint gets them as they are, and its errors mean what they say.
func TestDeliver(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want answerKind
	}{
		"accepted": {nil, accepted},
		"refused":  {Refused("no"), refused},
		"not now":  {errors.New("no"), retry},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			u := newHTTPUploader(Settings{
				Endpoint: "http://localhost/v1/logs", Uncompressed: true,
				Deliver: func(_ context.Context, request []byte) error {
					got = string(request)
					return c.err
				},
			})
			if a := u.upload(t.Context(), []byte("request")); a.kind != c.want || got != "request" {
				t.Errorf("it got %q, and the answer is %d, want %d", got, a.kind, c.want)
			}
		})
	}
}
