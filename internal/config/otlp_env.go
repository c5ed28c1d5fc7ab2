package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// otlpPrefix is the prefix of the variables in the OpenTelemetry specification, "OpenTelemetry
// Protocol Exporter", whose defaults these are.
const (
	otlpPrefix          = "OTEL_EXPORTER_OTLP_"
	defaultHTTPEndpoint = "http://localhost:4318"
	defaultGRPCEndpoint = "http://localhost:4317"
	defaultTimeout      = 10 * time.Second
)

// OTLPSettings is what the exporters need to send metrics, logs and traces: the keys of [OTLP],
// completed from the environment.
type OTLPSettings struct {
	OTLP // as in the file; the fields below replace its fields

	Logs, Metrics, Traces OTLPSignal
	// ResourceAttributes are the attributes of the file and of the environment; the file takes
	// precedence.
	ResourceAttributes map[string]string
}

// OTLPSignal is where and how one signal is sent.
type OTLPSignal struct {
	Enabled bool
	// Protocol is [ProtocolHTTP] or [ProtocolGRPC].
	Protocol string
	// Endpoint is complete: for HTTP it includes the signal's path. For gRPC only its host and its
	// scheme matter: http means without TLS.
	Endpoint *url.URL
	// Headers are sent with every request.
	Headers   map[string]Secret
	TLSConfig TLSConfig
	// Timeout is the timeout of one request.
	Timeout time.Duration
	// Compression is "gzip" or "none".
	Compression string
}

// ResolveOTLP completes the file's keys with the variables of the OpenTelemetry specification:
// OTEL_EXPORTER_OTLP_ and OTEL_EXPORTER_OTLP_LOGS_, _METRICS_ or _TRACES_ followed by ENDPOINT,
// PROTOCOL, HEADERS, CERTIFICATE, CLIENT_KEY, CLIENT_CERTIFICATE, TIMEOUT, COMPRESSION and
// INSECURE, OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME. A key in the file takes precedence over
// all variables, the variable of a signal over the general one. An empty variable counts as not
// set.
//
// It returns nil without an error if OTLP is off: the file doesn't have the key and
// OTEL_EXPORTER_OTLP_ENDPOINT isn't set. Its error is [Problems] with the file "environment" and
// the variables as paths.
func ResolveOTLP(o *OTLP, getenv func(string) string) (*OTLPSettings, error) {
	if o == nil {
		if getenv(otlpPrefix+"ENDPOINT") == "" {
			return nil, nil
		}
		o = new(OTLP)
		o.SetDefaults()
	}
	const attributes = "OTEL_RESOURCE_ATTRIBUTES"
	e := &otlpEnv{getenv: getenv}
	s := &OTLPSettings{
		OTLP: *o, ResourceAttributes: e.pairs(attributes, getenv(attributes)),
		Logs: e.settings(o, "LOGS", "v1/logs", o.Logs), Metrics: e.settings(o, "METRICS", "v1/metrics", o.Metrics),
		Traces: e.settings(o, "TRACES", "v1/traces", o.Traces),
	}
	if service := getenv("OTEL_SERVICE_NAME"); service != "" {
		s.ResourceAttributes["service.name"] = service
	}
	maps.Copy(s.ResourceAttributes, o.ResourceAttributes)
	if err := e.problems.asError(); err != nil {
		return nil, err
	}
	return s, nil
}

// otlpEnv reads the variables of one signal and collects their problems.
type otlpEnv struct {
	getenv   func(string) string
	signal   string
	problems Problems
}

func (e *otlpEnv) fail(name, format string, args ...any) {
	e.problems = append(e.problems, Problem{File: "environment", Path: name, Message: fmt.Sprintf(format, args...)})
}

// lookup returns the value and the name of the signal's variable, or else of the general one.
func (e *otlpEnv) lookup(name string) (value, variable string) {
	variable = otlpPrefix + e.signal + "_" + name
	if value = e.getenv(variable); value == "" {
		variable = otlpPrefix + name
		value = e.getenv(variable)
	}
	return value, variable
}

// oneOf reads a variable with a fixed set of values; the first is the default.
func (e *otlpEnv) oneOf(name string, allowed ...string) string {
	value, variable := e.lookup(name)
	word := cmp.Or(strings.ToLower(value), allowed[0])
	if !slices.Contains(allowed, word) {
		e.fail(variable, "must be %s, is %s", orList(allowed), shorten(value))
	}
	return word
}

func (e *otlpEnv) settings(o *OTLP, signal, path string, enabled bool) OTLPSignal {
	e.signal = signal
	s := OTLPSignal{
		Enabled: enabled, Protocol: o.Protocol, Headers: o.Headers, TLSConfig: o.TLSConfig, Timeout: e.timeout(),
		Compression: e.oneOf("COMPRESSION", "none", "gzip"),
	}
	if s.Protocol == "" {
		s.Protocol = e.oneOf("PROTOCOL", ProtocolHTTP, ProtocolGRPC)
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

// endpoint decides where the signal is sent. Over HTTP its path is appended to a general endpoint;
// the signal's own endpoint is used unchanged.
func (e *otlpEnv) endpoint(o *OTLP, protocol, path string, hasHeaders bool) *url.URL {
	raw, name := o.Endpoint, "otlp.endpoint"
	if raw == "" {
		raw, name = e.lookup("ENDPOINT")
	}
	grpc := protocol == ProtocolGRPC
	switch {
	case raw == "" && grpc:
		raw = defaultGRPCEndpoint
	case raw == "":
		raw = defaultHTTPEndpoint
	case grpc && !strings.Contains(raw, "://") && e.oneOf("INSECURE", "false", "true") == "true":
		raw = "http://" + raw
	case grpc && !strings.Contains(raw, "://"):
		raw = "https://" + raw
	}
	u, err := checkEndpoint(raw, hasHeaders && !o.InsecureHeaders)
	switch {
	case err != nil:
		e.fail(name, "%s", err)
	case grpc:
	case strings.HasPrefix(name, otlpPrefix+e.signal):
		u.Path = cmp.Or(u.Path, "/")
	default:
		u = u.JoinPath(path)
	}
	return u
}

// timeout is in milliseconds in the environment.
func (e *otlpEnv) timeout() time.Duration {
	value, name := e.lookup("TIMEOUT")
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
func (e *otlpEnv) tlsConfig() TLSConfig {
	ca, _ := e.lookup("CERTIFICATE")
	cert, _ := e.lookup("CLIENT_CERTIFICATE")
	key, name := e.lookup("CLIENT_KEY")
	if (cert == "") != (key == "") {
		e.fail(name, "a client certificate and its key go together; set CLIENT_CERTIFICATE and CLIENT_KEY, or neither")
	}
	return TLSConfig{CAFile: File(ca), CertFile: File(cert), Key: NewSecretFile(key)}
}

// headers are the headers of a variable. No problem repeats their values.
func (e *otlpEnv) headers() map[string]Secret {
	value, name := e.lookup("HEADERS")
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
func (e *otlpEnv) pairs(variable, list string) map[string]string {
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
