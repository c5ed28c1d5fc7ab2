package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// newHealthcheck checks whether a running exporter is healthy. It accepts the web flags of run, so
// that both can have the same arguments, and it tries whether the port uses TLS: so the check in
// the image works with every web configuration file.
func newHealthcheck(c *kingpin.CmdClause) command {
	var settings app.Settings
	webFlags(c, &settings)
	return func(ctx context.Context, _ streams) error {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second) // for all addresses together
		defer cancel()
		for _, address := range settings.ListenAddresses {
			err := checkHealth(ctx, "https", address)
			if errors.Is(err, http.ErrSchemeMismatch) {
				err = checkHealth(ctx, "http", address)
			}
			if err != nil {
				return fmt.Errorf("%s isn't healthy: %w", address, err)
			}
		}
		return nil
	}
}

// checkHealth checks one address. An exporter that requires a password or a client certificate is
// healthy: it answered, and this command has neither. So is one whose rate limit others have used up.
func checkHealth(ctx context.Context, scheme, address string) error {
	wantsCertificate := false
	client := &http.Client{Transport: &http.Transport{
		// Dialing an address without a host reaches this machine, without a name to resolve.
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{
			//nolint:gosec // the request has no secret, and the certificate is for another name
			InsecureSkipVerify: true,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				wantsCertificate = true
				return new(tls.Certificate), nil
			},
		},
		DisableKeepAlives: true,
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost/-/healthy", http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		if wantsCertificate {
			return nil
		}
		return errors.Unwrap(err) // without the URL, which has another address
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusTooManyRequests:
		return nil
	default:
		return fmt.Errorf("/-/healthy answered %s", response.Status)
	}
}
