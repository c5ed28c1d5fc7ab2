package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// resolve completes an otlp block (none if it is empty) from an environment: a variable and its value a line, without
// OTEL_EXPORTER_OTLP_ unless it begins with OTEL_.
func resolve(t *testing.T, block, environment string) (*config.OTLPSettings, error) {
	t.Helper()
	if block != "" {
		block = "otlp: " + block + "\n"
	}
	values := map[string]string{}
	for line := range strings.Lines(environment) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if !strings.HasPrefix(name, "OTEL_") {
			name = "OTEL_EXPORTER_OTLP_" + name
		}
		values[name] = value
	}
	return config.ResolveOTLP(load(t, block+valid).OTLP, func(name string) string { return values[name] })
}

func TestOTLPIsOff(t *testing.T) {
	for _, environment := range []string{"", "ENDPOINT=", "LOGS_ENDPOINT=http://c.example\nOTEL_SERVICE_NAME=s"} {
		if s, err := resolve(t, "", environment); s != nil || err != nil {
			t.Errorf("%v: %v, %v", environment, s, err)
		}
	}
}

func TestOTLPEndpoints(t *testing.T) {
	for _, tt := range []struct {
		name, block, env string
		want             string // the protocol and the endpoint of logs, and those of metrics
	}{
		{
			"defaults", "{}", "",
			"http/protobuf http://localhost:4318/v1/logs, http/protobuf http://localhost:4318/v1/metrics",
		},
		{"defaults of grpc", "{protocol: grpc}", "", "grpc http://localhost:4317, grpc http://localhost:4317"},
		{
			"file", "{endpoint: https://f.example/base/}", "ENDPOINT=http://e.example",
			"http/protobuf https://f.example/base/v1/logs, http/protobuf https://f.example/base/v1/metrics",
		},
		{
			"file over the signal's", "{endpoint: https://f.example}", "LOGS_ENDPOINT=http://e.example/x",
			"http/protobuf https://f.example/v1/logs, http/protobuf https://f.example/v1/metrics",
		},
		{
			"on by the environment", "", "ENDPOINT=http://c.example:4318",
			"http/protobuf http://c.example:4318/v1/logs, http/protobuf http://c.example:4318/v1/metrics",
		},
		{
			"unset key", "{logs: true}", "ENDPOINT=http://c.example:4318/",
			"http/protobuf http://c.example:4318/v1/logs, http/protobuf http://c.example:4318/v1/metrics",
		},
		{
			"the signal's own is used as it is", "{}",
			"ENDPOINT=http://c.example\nLOGS_ENDPOINT=http://l.example/push\nMETRICS_ENDPOINT=http://m.example",
			"http/protobuf http://l.example/push, http/protobuf http://m.example/",
		},
		{
			"protocol of the environment", "{}",
			"PROTOCOL=grpc\nMETRICS_PROTOCOL=http/protobuf\nENDPOINT=https://c.example:4317",
			"grpc https://c.example:4317, http/protobuf https://c.example:4317/v1/metrics",
		},
		{
			"protocol of the file", "{protocol: http/protobuf}", "PROTOCOL=grpc",
			"http/protobuf http://localhost:4318/v1/logs, http/protobuf http://localhost:4318/v1/metrics",
		},
		{
			"grpc without a scheme is secure", "{protocol: grpc}", "ENDPOINT=c.example:4317\nMETRICS_INSECURE=true",
			"grpc https://c.example:4317, grpc http://c.example:4317",
		},
		{
			"a scheme wins over insecure", "{protocol: grpc}", "ENDPOINT=https://c.example:4317\nINSECURE=true",
			"grpc https://c.example:4317, grpc https://c.example:4317",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resolve(t, tt.block, tt.env)
			require.NoError(t, err)
			equal(t, "endpoints", fmt.Sprintf("%s %s, %s %s", s.Logs.Protocol, s.Logs.Endpoint, s.Metrics.Protocol,
				s.Metrics.Endpoint), tt.want)
		})
	}
}

func TestOTLPFromTheEnvironment(t *testing.T) {
	const environment = `ENDPOINT=https://c.example
		HEADERS=api-key=hunter2, x = a%20b%2Cc ,
		METRICS_HEADERS=only=metrics
		CERTIFICATE=/ca.pem
		LOGS_CERTIFICATE=/logs-ca.pem
		CLIENT_CERTIFICATE=/cert.pem
		CLIENT_KEY=key.pem
		TIMEOUT=2500
		LOGS_TIMEOUT=7
		COMPRESSION=gzip
		LOGS_COMPRESSION=none
		OTEL_SERVICE_NAME=service
		OTEL_RESOURCE_ATTRIBUTES=service.name=attribute,team=tele%3Dcom,deployment.environment.name=dev`
	s, err := resolve(t, "{metrics: false, resource_attributes: {deployment.environment.name: prod}}", environment)
	require.NoError(t, err)
	tlsConfig := config.TLSConfig{CAFile: "/ca.pem", CertFile: "/cert.pem", Key: config.NewSecretFile("key.pem")}
	logsTLS := tlsConfig
	logsTLS.CAFile = "/logs-ca.pem"
	equal(t, "attributes", s.ResourceAttributes,
		map[string]string{"service.name": "service", "team": "tele=com", "deployment.environment.name": "prod"})
	equal(t, "headers of logs", s.Logs.Headers, map[string]config.Secret{
		"api-key": config.NewSecret("hunter2"),
		"x":       config.NewSecret("a b,c"),
	})
	equal(t, "headers of metrics", s.Metrics.Headers, map[string]config.Secret{"only": config.NewSecret("metrics")})
	equal(t, "TLS of metrics", s.Metrics.TLSConfig, tlsConfig)
	equal(t, "TLS of logs", s.Logs.TLSConfig, logsTLS)
	equal(t, "timeouts", []time.Duration{s.Logs.Timeout, s.Metrics.Timeout},
		[]time.Duration{7 * time.Millisecond, 2500 * time.Millisecond})
	equal(t, "compression", []string{s.Logs.Compression, s.Metrics.Compression}, []string{"none", "gzip"})
	equal(t, "enabled", []bool{s.Logs.Enabled, s.Metrics.Enabled}, []bool{true, false})
}

func TestOTLPKeysOfTheFileWin(t *testing.T) {
	const environment = "HEADERS=a=b\nLOGS_HEADERS=a=b\nCERTIFICATE=/env.pem\nOTEL_SERVICE_NAME=env"
	s, err := resolve(t, "{headers: {x: y}, tls_config: {server_name: n}, interval: 1m, log_timestamp: "+
		"observed, outbox_limit: 3, outbox_full: skip_logs, shutdown_timeout: 2s, resource_attributes: "+
		"{service.name: file}}", environment)
	require.NoError(t, err)
	for _, signal := range []config.OTLPSignal{s.Logs, s.Metrics} {
		equal(t, "headers", signal.Headers, map[string]config.Secret{"x": config.NewSecret("y")})
		equal(t, "TLS", signal.TLSConfig, config.TLSConfig{ServerName: "n"})
		equal(t, "timeout", signal.Timeout, 10*time.Second)
		equal(t, "compression", signal.Compression, "none")
	}
	equal(t, "attributes", s.ResourceAttributes, map[string]string{"service.name": "file"})
	if s.Interval != time.Minute || s.LogTimestamp != "observed" || s.OutboxLimit != 3 || s.OutboxFull != "skip_logs" ||
		s.ShutdownTimeout != 2*time.Second {
		t.Errorf("the rest is %+v", s.OTLP)
	}
}

func TestOTLPEnvironmentProblems(t *testing.T) {
	const list = "must be a list such as key=value,key2=value2, with percent-encoded values"
	for _, tt := range []struct{ name, env, want string }{
		{"protocol", "PROTOCOL=http/json", `PROTOCOL: must be http/protobuf or grpc, is "http/json"`},
		{
			"endpoint", "LOGS_ENDPOINT=c.example:4318", "LOGS_ENDPOINT: must be a URL with scheme and host, such as " +
				"http://127.0.0.1:4318, without user, query and fragment",
		},
		{
			"headers in the clear", "HEADERS=a=hunter2\nENDPOINT=http://c.example",
			"ENDPOINT: must be https, because headers with secrets travel on it; plain http with headers is for " +
				"loopback hosts (127.0.0.1, ::1, localhost), or set otlp.insecure_headers: true if the network " +
				"between is trusted",
		},
		{"headers", "HEADERS=hunter2", "HEADERS: " + list},
		{"encoding of headers", "HEADERS=a=hunter%2", "HEADERS: " + list},
		{
			"name of a header", "HEADERS=a b=hunter2",
			"HEADERS: must be the name of an HTTP header, such as Authorization",
		},
		{"timeout", "TIMEOUT=10s", `TIMEOUT: must be a number of milliseconds, at least 1, is "10s"`},
		{"timeout of 0", "METRICS_TIMEOUT=0", `METRICS_TIMEOUT: must be a number of milliseconds, at least 1, is "0"`},
		{"compression", "COMPRESSION=zstd", `COMPRESSION: must be none or gzip, is "zstd"`},
		{
			"insecure", "PROTOCOL=grpc\nENDPOINT=c.example:1\nINSECURE=maybe",
			`INSECURE: must be false or true, is "maybe"`,
		},
		{
			"key without certificate", "CLIENT_KEY=k",
			"CLIENT_KEY: a client certificate and its key go together; " +
				"set CLIENT_CERTIFICATE and CLIENT_KEY, or neither",
		},
		{"attributes", "OTEL_RESOURCE_ATTRIBUTES=a=b,c", "OTEL_RESOURCE_ATTRIBUTES: " + list},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resolve(t, "{}", tt.env)
			got := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprint(err), "environment: "), "OTEL_EXPORTER_OTLP_")
			if s != nil || got != tt.want {
				t.Errorf("the problem is %v, want %s", err, tt.want)
			}
		})
	}
}
