package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The variables of the OTLP exporters, and defaults of the OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
const (
	otlpPrefix          = "OTEL_EXPORTER_OTLP_"
	defaultHTTPEndpoint = "http://localhost:4318"
	defaultGRPCEndpoint = "http://localhost:4317"
	defaultTimeout      = 10 * time.Second
)

// OTLPSettings is what the exporters need to send metrics and logs: the keys of
// [OTLP], completed from the environment.
type OTLPSettings struct {
	OTLP // as in the file; what the fields below shadow is completed

	Logs, Metrics OTLPSignal
	// ResourceAttributes are those of the file over those of the environment.
	ResourceAttributes map[string]string
}

// OTLPSignal is where and how one signal is sent.
type OTLPSignal struct {
	Enabled bool
	// Protocol is [ProtocolHTTP] or [ProtocolGRPC].
	Protocol string
	// Endpoint is complete: for HTTP with the signal's path. For gRPC only its host
	// and its scheme count: http is without TLS.
	Endpoint *url.URL
	// Headers are sent with every request.
	Headers   map[string]Secret
	TLSConfig TLSConfig
	// Timeout is that of one request.
	Timeout time.Duration
	// Compression is "gzip" or "none".
	Compression string
}

// ResolveOTLP completes the file's keys with the variables of the OpenTelemetry specification: OTEL_EXPORTER_OTLP_ and
// OTEL_EXPORTER_OTLP_LOGS_ or _METRICS_ followed by ENDPOINT, PROTOCOL, HEADERS, CERTIFICATE, CLIENT_KEY, CLIENT_CERTIFICATE, TIMEOUT,
// COMPRESSION and INSECURE, OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME. A key in the file wins over all variables, the variable of a
// signal over the general one, and an empty variable is not set.
//
// It returns nil without an error if OTLP is off: the file has no such key and OTEL_EXPORTER_OTLP_ENDPOINT is not set. The error is
// [Problems] with the file "environment" and the variables as paths.
func ResolveOTLP(o *OTLP, getenv func(string) string) (*OTLPSettings, error) {
	if o == nil {
		if getenv(otlpPrefix+"ENDPOINT") == "" {
			return nil, nil
		}
		o = new(OTLP)
		o.SetDefaults()
	}
	const attributes = "OTEL_RESOURCE_ATTRIBUTES"
	problems := Problems{}
	e := &otlpEnv{getenv: getenv, problems: &problems}
	s := &OTLPSettings{
		OTLP: *o, ResourceAttributes: e.pairs(attributes, getenv(attributes)),
		Logs: e.settings(o, "LOGS", "v1/logs", o.Logs), Metrics: e.settings(o, "METRICS", "v1/metrics", o.Metrics),
	}
	if service := getenv("OTEL_SERVICE_NAME"); service != "" {
		s.ResourceAttributes["service.name"] = service
	}
	maps.Copy(s.ResourceAttributes, o.ResourceAttributes)
	if err := problems.asError(); err != nil {
		return nil, err
	}
	return s, nil
}

// otlpEnv reads the variables of one signal and collects what is wrong with them.
type otlpEnv struct {
	getenv   func(string) string
	signal   string
	problems *Problems
}

func (e otlpEnv) fail(name, format string, args ...any) {
	*e.problems = append(*e.problems, Problem{File: "environment", Path: name, Message: fmt.Sprintf(format, args...)})
}

// lookup returns the name and the value of the signal's variable, or else of the general one.
func (e otlpEnv) lookup(name string) (variable, value string) {
	variable = otlpPrefix + e.signal + "_" + name
	if value = e.getenv(variable); value == "" {
		variable = otlpPrefix + name
		value = e.getenv(variable)
	}
	return variable, value
}

// oneOf reads a variable with few values.
func (e otlpEnv) oneOf(name, unset string, allowed ...string) string {
	variable, value := e.lookup(name)
	if word := strings.ToLower(value); word == "" || slices.Contains(allowed, word) {
		return cmp.Or(word, unset)
	}
	e.fail(variable, "must be %s, is %s", orList(allowed), shorten(value))
	return unset
}

// settings completes those of one signal.
func (e otlpEnv) settings(o *OTLP, signal, path string, enabled bool) OTLPSignal {
	e.signal = signal
	s := OTLPSignal{
		Enabled: enabled, Protocol: o.Protocol, Headers: o.Headers, TLSConfig: o.TLSConfig, Timeout: e.timeout(),
		Compression: e.oneOf("COMPRESSION", "none", "gzip", "none"),
	}
	if s.Protocol == "" {
		s.Protocol = e.oneOf("PROTOCOL", ProtocolHTTP, ProtocolHTTP, ProtocolGRPC)
	}
	if len(s.Headers) == 0 {
		s.Headers = e.headers()
	}
	if s.TLSConfig.IsZero() {
		s.TLSConfig = e.tlsConfig()
	}
	s.Endpoint = e.endpoint(o, s.Protocol, path, len(s.Headers) > 0)
	return s
}

// endpoint chooses where the signal is sent. Over HTTP the signal's path is put
// behind a general endpoint, while a signal's own endpoint is used as it is.
func (e otlpEnv) endpoint(o *OTLP, protocol, path string, hasHeaders bool) *url.URL {
	name, raw := "otlp.endpoint", o.Endpoint
	if raw == "" {
		name, raw = e.lookup("ENDPOINT")
	}
	grpc := protocol == ProtocolGRPC
	switch {
	case raw == "" && grpc:
		raw = defaultGRPCEndpoint
	case raw == "":
		raw = defaultHTTPEndpoint
	case grpc && !strings.Contains(raw, "://"):
		scheme := "https"
		if e.oneOf("INSECURE", "false", "true", "false") == "true" {
			scheme = "http"
		}
		raw = scheme + "://" + raw
	}
	u, err := checkEndpoint(raw, hasHeaders && !o.InsecureHeaders)
	if err != nil {
		e.fail(name, "%s", err)
		return nil
	}
	switch {
	case grpc:
		return u
	case strings.HasPrefix(name, otlpPrefix+e.signal):
		u.Path = cmp.Or(u.Path, "/")
		return u
	}
	return u.JoinPath(path)
}

// timeout is in milliseconds in the environment.
func (e otlpEnv) timeout() time.Duration {
	name, value := e.lookup("TIMEOUT")
	if value == "" {
		return defaultTimeout
	}
	ms, err := strconv.ParseInt(value, 10, 32)
	if err != nil || ms < 1 {
		e.fail(name, "must be a number of milliseconds, at least 1, is %s", shorten(value))
	}
	return time.Duration(ms) * time.Millisecond
}

// tlsConfig reads the names of certificates and keys. Relative ones start at the working directory, as in the SDKs.
func (e otlpEnv) tlsConfig() TLSConfig {
	var files [3]string
	for i, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"} {
		variable, value := e.lookup(name)
		if value == "" {
			continue
		}
		var err error
		if files[i], err = filepath.Abs(value); err != nil {
			e.fail(variable, "cannot be made absolute: %s", err)
		}
	}
	t := TLSConfig{CAFile: File(files[0]), CertFile: File(files[1]), Key: Secret{file: files[2]}}
	if (t.CertFile == "") == t.Key.IsSet() {
		variable, _ := e.lookup("CLIENT_KEY")
		e.fail(variable, "a client certificate and its key go together; set CLIENT_CERTIFICATE and CLIENT_KEY, or neither")
	}
	return t
}

// headers are those of a variable, whose values no problem repeats.
func (e otlpEnv) headers() map[string]Secret {
	name, value := e.lookup("HEADERS")
	headers := map[string]Secret{}
	for key, text := range e.pairs(name, value) {
		headers[key] = NewSecret(text)
		if err := checkHeader(key, headers[key]); err != nil {
			e.fail(name, "%s", err)
		}
	}
	return headers
}

// pairs reads key=value,key=value with percent-encoded values (W3C Baggage).
func (e otlpEnv) pairs(variable, list string) map[string]string {
	pairs := map[string]string{}
	for item := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		key, value, found := strings.Cut(item, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !found || key == "" || err != nil {
			e.fail(variable, "must be a list such as key=value,key2=value2, with percent-encoded values")
			return map[string]string{}
		}
		pairs[key] = decoded
	}
	return pairs
}
