package config

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// otlpPrefix begins the variables of the OTLP exporters.
const otlpPrefix = "OTEL_EXPORTER_OTLP_"

// otlpEnv reads the variables of the OpenTelemetry specification and collects what
// is wrong with them.
type otlpEnv struct {
	getenv   func(string) string
	problems Problems
}

// fail adds a problem with a variable.
func (e *otlpEnv) fail(name, message string) {
	e.problems = append(e.problems, Problem{File: "environment", Path: name, Message: message})
}

// lookup returns the name and the value of a signal's variable, or else of the
// general one.
func (e *otlpEnv) lookup(signal, name string) (string, string) {
	if value := e.getenv(otlpPrefix + signal + "_" + name); value != "" {
		return otlpPrefix + signal + "_" + name, value
	}
	return otlpPrefix + name, e.getenv(otlpPrefix + name)
}

// signal completes the settings of one signal.
func (e *otlpEnv) signal(o *OTLP, signal, path string) OTLPSignal {
	s := OTLPSignal{
		Protocol:    e.protocol(o, signal),
		Headers:     o.Headers,
		TLSConfig:   o.TLSConfig,
		Timeout:     e.timeout(signal),
		Compression: e.compression(signal),
	}
	if len(s.Headers) == 0 {
		s.Headers = e.headers(signal)
	}
	if s.TLSConfig.IsZero() {
		s.TLSConfig = e.tlsConfig(signal)
	}
	s.Endpoint = e.endpoint(o, signal, s.Protocol, path, len(s.Headers) > 0)
	return s
}

// protocol chooses the transport. The specification's default is http/protobuf.
func (e *otlpEnv) protocol(o *OTLP, signal string) string {
	if o.Protocol != "" {
		return o.Protocol
	}
	name, value := e.lookup(signal, "PROTOCOL")
	switch value {
	case "", ProtocolHTTP:
		return ProtocolHTTP
	case ProtocolGRPC:
		return ProtocolGRPC
	}
	e.fail(name, "must be http/protobuf or grpc, is "+shorten(value))
	return ProtocolHTTP
}

// endpoint chooses where the signal is sent. Over HTTP the signal's path is put
// behind a general endpoint, while a signal's own endpoint is used as it is.
func (e *otlpEnv) endpoint(o *OTLP, signal, protocol, path string, hasHeaders bool) *url.URL {
	name, raw := "otlp.endpoint", o.Endpoint
	if raw == "" {
		name, raw = e.lookup(signal, "ENDPOINT")
	}
	switch {
	case raw == "" && protocol == ProtocolGRPC:
		raw = defaultGRPCEndpoint
	case raw == "":
		raw = defaultHTTPEndpoint
	case protocol == ProtocolGRPC && !strings.Contains(raw, "://"):
		raw = e.grpcScheme(signal) + "://" + raw
	}
	u, err := parseServiceURL(raw)
	if err != nil {
		e.fail(name, "must be a URL with scheme and host, such as http://127.0.0.1:4318, without user, query and fragment")
		return nil
	}
	if err := checkPlainHeaders(u, hasHeaders && !o.InsecureHeaders); err != nil {
		e.fail(name, err.Error())
	}
	if protocol == ProtocolGRPC {
		return u
	}
	if strings.HasPrefix(name, otlpPrefix+signal) {
		if u.Path == "" {
			u.Path = "/"
		}
		return u
	}
	return u.JoinPath(path)
}

// grpcScheme is that of an endpoint without one: TLS unless INSECURE says otherwise.
func (e *otlpEnv) grpcScheme(signal string) string {
	name, value := e.lookup(signal, "INSECURE")
	switch strings.ToLower(value) {
	case "true":
		return "http"
	case "", "false":
	default:
		e.fail(name, "must be true or false, is "+shorten(value))
	}
	return "https"
}

// timeout is in milliseconds in the environment.
func (e *otlpEnv) timeout(signal string) time.Duration {
	name, value := e.lookup(signal, "TIMEOUT")
	if value == "" {
		return defaultTimeout
	}
	ms, err := strconv.ParseInt(value, 10, 32)
	if err != nil || ms < 1 {
		e.fail(name, "must be a number of milliseconds, at least 1, is "+shorten(value))
		return defaultTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

// compression is none by default, as the specification has it.
func (e *otlpEnv) compression(signal string) string {
	name, value := e.lookup(signal, "COMPRESSION")
	switch value {
	case "", "none":
		return "none"
	case "gzip":
		return "gzip"
	}
	e.fail(name, "must be gzip or none, is "+shorten(value))
	return "none"
}

// tlsConfig takes the files of certificates and keys. Relative ones start at the
// working directory, as in the SDKs.
func (e *otlpEnv) tlsConfig(signal string) TLSConfig {
	file := func(name string) string {
		variable, value := e.lookup(signal, name)
		if value == "" {
			return ""
		}
		absolute, err := filepath.Abs(value)
		if err != nil {
			e.fail(variable, "cannot be made absolute: "+err.Error())
		}
		return absolute
	}
	t := TLSConfig{CAFile: File(file("CERTIFICATE")), CertFile: File(file("CLIENT_CERTIFICATE"))}
	if key := file("CLIENT_KEY"); key != "" {
		t.Key = NewSecretFile(key)
	}
	if (t.CertFile == "") != !t.Key.IsSet() {
		variable, _ := e.lookup(signal, "CLIENT_KEY")
		e.fail(variable, "a client certificate and its key go together; set CLIENT_CERTIFICATE and CLIENT_KEY, or neither")
	}
	return t
}

// headers are a list of key=value pairs with percent-encoding (W3C Baggage). What is
// wrong with them is said without repeating them.
func (e *otlpEnv) headers(signal string) map[string]Secret {
	name, value := e.lookup(signal, "HEADERS")
	headers := map[string]Secret{}
	for key, text := range e.pairs(name, value) {
		headers[key] = NewSecret(text)
		if err := checkHeader(key, headers[key]); err != nil {
			e.fail(name, err.Error())
		}
	}
	return headers
}

// resourceAttributes are those of OTEL_RESOURCE_ATTRIBUTES, with OTEL_SERVICE_NAME
// over its service.name.
func (e *otlpEnv) resourceAttributes() map[string]string {
	const variable = "OTEL_RESOURCE_ATTRIBUTES"
	attributes := e.pairs(variable, e.getenv(variable))
	if service := e.getenv("OTEL_SERVICE_NAME"); service != "" {
		attributes["service.name"] = service
	}
	return attributes
}

// pairs reads key=value,key=value with percent-encoded values.
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
