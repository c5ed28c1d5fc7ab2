package subscriptions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// shakeHands sends a webhook what Graph sends before it makes a subscription: a token, which must
// come back as plain text.
func shakeHands(ctx context.Context, transport http.RoundTripper, address string) error {
	token := rand.Text()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost,
		address+"?"+url.Values{"validationToken": {token}}.Encode(), nil)
	if err != nil {
		return err
	}
	defer (&http.Client{Transport: transport}).CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return errors.New(httpclient.Describe(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxValidationToken))
	switch {
	case err != nil:
		return errors.New(httpclient.Describe(err))
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("it answers %s", httpclient.StatusText(resp.StatusCode))
	case string(body) != token:
		return errors.New("something other than the exporter's listener answers there")
	}
	return nil
}
