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

// NewTransport makes the way to the network, by a proxy if there is one; nil: as the environment says. It is made anew when files change that the TLS
// configuration names. It speaks HTTP/1.1, whose bodies cost less CPU time than those of HTTP/2, which come in frames (decision 016).
func NewTransport(tls config.TLSConfig, proxy *url.URL) (http.RoundTripper, error) {
	settings := config.HTTPClientConfig{TLSConfig: tls}
	settings.ProxyURL, settings.ProxyFromEnvironment = config.URL{URL: proxy}, proxy == nil
	dialer := net.Dialer{Timeout: dialTimeout}
	transport, err := config.NewRoundTripperFromConfig(settings, "provider", config.WithDialContextFunc(dialer.DialContext), config.WithIdleConnTimeout(idleTimeout))
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return transport, nil
}
