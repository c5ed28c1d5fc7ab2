package config_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// resolve completes an otlp block (none if it is empty) from an environment.
func resolve(t *testing.T, block string, environment map[string]string) (*config.OTLPSettings, error) {
	t.Helper()
	if block != "" {
		block = "otlp: " + block + "\n"
	}
	return config.ResolveOTLP(load(t, block+valid).OTLP, func(name string) string { return environment[name] })
}

type env = map[string]string

func TestOTLPIsOff(t *testing.T) {
	for _, environment := range []env{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
		{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c.example", "OTEL_SERVICE_NAME": "s"},
	} {
		if s, err := resolve(t, "", environment); s != nil || err != nil {
			t.Errorf("%v: %v, %v", environment, s, err)
		}
	}
}

func TestOTLPEndpoints(t *testing.T) {
	for _, tt := range []struct {
		name          string
		block         string
		env           env
		logs, metrics string
		logs2         string // protocol of logs, if not http/protobuf
	}{
		{"defaults", "{}", nil, "http://localhost:4318/v1/logs", "http://localhost:4318/v1/metrics", ""},
		{"defaults of grpc", "{protocol: grpc}", nil, "http://localhost:4317", "http://localhost:4317", "grpc"},
		{
			"file", "{endpoint: https://f.example/base/}",
			env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e.example"},
			"https://f.example/base/v1/logs", "https://f.example/base/v1/metrics", "",
		},
		{
			"file over the signal's", "{endpoint: https://f.example}",
			env{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://e.example/x"},
			"https://f.example/v1/logs",
			"https://f.example/v1/metrics", "",
		},
		{
			"on by the environment", "",
			env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c.example:4318"},
			"http://c.example:4318/v1/logs", "http://c.example:4318/v1/metrics", "",
		},
		{
			"unset key", "{logs: true}",
			env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c.example:4318/"},
			"http://c.example:4318/v1/logs", "http://c.example:4318/v1/metrics", "",
		},
		{
			"the signal's own is used as it is", "{}",
			env{
				"OTEL_EXPORTER_OTLP_ENDPOINT":         "http://c.example",
				"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":    "http://l.example/push",
				"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m.example",
			},
			"http://l.example/push", "http://m.example/",
			"",
		},
		{
			"protocol of the environment", "{}",
			env{
				"OTEL_EXPORTER_OTLP_PROTOCOL":         "grpc",
				"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
				"OTEL_EXPORTER_OTLP_ENDPOINT":         "https://c.example:4317",
			},
			"https://c.example:4317",
			"https://c.example:4317/v1/metrics", "grpc",
		},
		{
			"protocol of the file", "{protocol: http/protobuf}",
			env{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			"http://localhost:4318/v1/logs", "http://localhost:4318/v1/metrics", "",
		},
		{
			"grpc without a scheme is secure", "{protocol: grpc}",
			env{"OTEL_EXPORTER_OTLP_ENDPOINT": "c.example:4317", "OTEL_EXPORTER_OTLP_METRICS_INSECURE": "true"},
			"https://c.example:4317", "http://c.example:4317", "grpc",
		},
		{"a scheme wins over insecure", "{protocol: grpc}", env{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.example:4317",
			"OTEL_EXPORTER_OTLP_INSECURE": "true",
		}, "https://c.example:4317", "https://c.example:4317", "grpc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resolve(t, tt.block, tt.env)
			if err != nil {
				t.Fatal(err)
			}
			protocol := config.ProtocolHTTP
			if tt.logs2 != "" {
				protocol = tt.logs2
			}
			equal(t, "logs", s.Logs.Endpoint.String(), tt.logs)
			equal(t, "metrics", s.Metrics.Endpoint.String(), tt.metrics)
			equal(t, "protocol of logs", s.Logs.Protocol, protocol)
		})
	}
}

func TestOTLPFromTheEnvironment(t *testing.T) {
	environment := env{
		"OTEL_EXPORTER_OTLP_ENDPOINT":           "https://c.example",
		"OTEL_EXPORTER_OTLP_HEADERS":            "api-key=hunter2, x = a%20b%2Cc ,",
		"OTEL_EXPORTER_OTLP_METRICS_HEADERS":    "only=metrics",
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        "/ca.pem",
		"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE":   "/logs-ca.pem",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/cert.pem",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":         "key.pem",
		"OTEL_EXPORTER_OTLP_TIMEOUT":            "2500",
		"OTEL_EXPORTER_OTLP_LOGS_TIMEOUT":       "7",
		"OTEL_EXPORTER_OTLP_COMPRESSION":        "gzip",
		"OTEL_EXPORTER_OTLP_LOGS_COMPRESSION":   "none",
		"OTEL_SERVICE_NAME":                     "service",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=attribute,team=tele%3Dcom," +
			"deployment.environment.name=dev",
	}
	s, err := resolve(t, "{metrics: false, resource_attributes: {deployment.environment.name: prod}}", environment)
	if err != nil {
		t.Fatal(err)
	}
	tlsConfig := config.TLSConfig{CAFile: "/ca.pem", CertFile: "/cert.pem", Key: config.NewSecretFile("key.pem")}
	logsTLS := tlsConfig
	logsTLS.CAFile = "/logs-ca.pem"
	equal(t, "attributes", s.ResourceAttributes,
		env{"service.name": "service", "team": "tele=com", "deployment.environment.name": "prod"})
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
	environment := env{
		"OTEL_EXPORTER_OTLP_HEADERS": "a=b", "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=b",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "/env.pem", "OTEL_SERVICE_NAME": "env",
	}
	s, err := resolve(t, "{headers: {x: y}, tls_config: {server_name: n}, interval: 1m, log_timestamp: "+
		"observed, outbox_limit: 3, outbox_full: skip_logs, shutdown_timeout: 2s, resource_attributes: "+
		"{service.name: file}}", environment)
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []config.OTLPSignal{s.Logs, s.Metrics} {
		equal(t, "headers", signal.Headers, map[string]config.Secret{"x": config.NewSecret("y")})
		equal(t, "TLS", signal.TLSConfig, config.TLSConfig{ServerName: "n"})
		equal(t, "timeout", signal.Timeout, 10*time.Second)
		equal(t, "compression", signal.Compression, "none")
	}
	equal(t, "attributes", s.ResourceAttributes, env{"service.name": "file"})
	if s.Interval != time.Minute || s.LogTimestamp != "observed" || s.OutboxLimit != 3 || s.OutboxFull != "skip_logs" ||
		s.ShutdownTimeout != 2*time.Second {
		t.Errorf("the rest is %+v", s.OTLP)
	}
}

func TestOTLPEnvironmentProblems(t *testing.T) {
	const prefix = "environment: OTEL_EXPORTER_OTLP_"
	for _, tt := range []struct {
		name string
		env  env
		want string
	}{
		{
			"protocol",
			env{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
			prefix + `PROTOCOL: must be http/protobuf or grpc, is "http/json"`,
		},
		{
			"endpoint",
			env{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "c.example:4318"},
			prefix + "LOGS_ENDPOINT: must be a URL with scheme and host, such as http://127.0.0.1:4318, " +
				"without user, query and fragment",
		},
		{
			"headers in the clear",
			env{
				"OTEL_EXPORTER_OTLP_HEADERS":  "a=hunter2",
				"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c.example",
			},
			prefix + "ENDPOINT: must be https, because headers with secrets travel on it; plain http with " +
				"headers is for loopback hosts (127.0.0.1, ::1, localhost), or set otlp.insecure_headers: " +
				"true if the network between is trusted",
		},
		{
			"headers",
			env{"OTEL_EXPORTER_OTLP_HEADERS": "hunter2"},
			prefix + "HEADERS: must be a list such as key=value,key2=value2, with percent-encoded values",
		},
		{
			"encoding of headers",
			env{"OTEL_EXPORTER_OTLP_HEADERS": "a=hunter%2"},
			prefix + "HEADERS: must be a list such as key=value,key2=value2, with percent-encoded values",
		},
		{
			"name of a header",
			env{"OTEL_EXPORTER_OTLP_HEADERS": "a b=hunter2"},
			prefix + "HEADERS: must be the name of an HTTP header, such as Authorization",
		},
		{
			"timeout",
			env{"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"},
			prefix + `TIMEOUT: must be a number of milliseconds, at least 1, is "10s"`,
		},
		{
			"timeout of 0",
			env{"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "0"},
			prefix + `METRICS_TIMEOUT: must be a number of milliseconds, at least 1, is "0"`,
		},
		{
			"compression",
			env{"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
			prefix + `COMPRESSION: must be none or gzip, is "zstd"`,
		},
		{"insecure", env{
			"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "c.example:1",
			"OTEL_EXPORTER_OTLP_INSECURE": "maybe",
		}, prefix + `INSECURE: must be false or true, is "maybe"`},
		{
			"key without certificate",
			env{"OTEL_EXPORTER_OTLP_CLIENT_KEY": "k"},
			prefix + "CLIENT_KEY: a client certificate and its key go together; set CLIENT_CERTIFICATE and " +
				"CLIENT_KEY, or neither",
		},
		{
			"attributes",
			env{"OTEL_RESOURCE_ATTRIBUTES": "a=b,c"},
			"environment: OTEL_RESOURCE_ATTRIBUTES: must be a list such as key=value,key2=value2, with " +
				"percent-encoded values",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := resolve(t, "{}", maps.Clone(tt.env))
			if s != nil || err == nil || err.Error() != tt.want {
				t.Errorf("the problem is %v, want %s", err, tt.want)
			}
		})
	}
}
