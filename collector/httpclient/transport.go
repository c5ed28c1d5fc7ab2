package httpclient

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"
)

const (
	dialTimeout = 10 * time.Second
	idleTimeout = 90 * time.Second // of a connection
)

// NewTransport makes the HTTP transport, with a proxy if one is given; nil means the proxy of the
// environment. It makes a new one when a file of the TLS configuration changes. It speaks HTTP/1.1,
// which takes less CPU time than HTTP/2 with its frames (decision 016).
func NewTransport(tls config.TLSConfig, proxy *url.URL) (http.RoundTripper, error) {
	settings := config.HTTPClientConfig{TLSConfig: tls}
	settings.ProxyURL, settings.ProxyFromEnvironment = config.URL{URL: proxy}, proxy == nil
	dialer := net.Dialer{Timeout: dialTimeout}
	transport, err := config.NewRoundTripperFromConfig(settings, "provider",
		config.WithDialContextFunc(dialer.DialContext), config.WithIdleConnTimeout(idleTimeout))
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return transport, nil
}
