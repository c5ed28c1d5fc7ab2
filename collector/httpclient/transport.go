package httpclient

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"
	"golang.org/x/net/http/httpproxy"
)

// The bounds of connections. A source has a few feeds, each with one request at a time.
const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	keepAlive        = 30 * time.Second
	idleTimeout      = 90 * time.Second
	pingAfter        = 30 * time.Second // without a frame on HTTP/2: finds dead connections
	maxIdle          = 8
	maxHeaderBytes   = 256 << 10
)

// NewTransport makes the way to the network, by a proxy if there is one. It is made anew when files change that the TLS configuration names.
func NewTransport(settings config.TLSConfig, proxyURL *url.URL) (http.RoundTripper, error) {
	proxy := proxyFunc(proxyURL)
	build := func(tlsConfig *tls.Config) (http.RoundTripper, error) {
		return &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext,
			TLSClientConfig:        tlsConfig,
			TLSHandshakeTimeout:    handshakeTimeout,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter},
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdle,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}, nil
	}
	tlsConfig, err := config.NewTLSConfig(&settings)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	transport, err := config.NewTLSRoundTripper(tlsConfig, config.TLSRoundTripperSettings{
		CA:   secret(settings.CA, settings.CAFile),
		Cert: secret(settings.Cert, settings.CertFile),
		Key:  secret(string(settings.Key), settings.KeyFile),
	}, build)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return transport, nil
}

func secret(text, file string) config.SecretReader {
	switch {
	case file != "":
		return config.NewFileSecret(file)
	case text != "":
		return config.NewInlineSecret(text)
	}
	return nil
}

func proxyFunc(proxy *url.URL) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		fromEnvironment := httpproxy.FromEnvironment().ProxyFunc()
		return func(r *http.Request) (*url.URL, error) { return fromEnvironment(r.URL) }
	}
	return http.ProxyURL(proxy)
}
