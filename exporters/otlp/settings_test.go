package otlp

import (
	"strings"
	"testing"
	"time"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	parts := Parts{Outbox: newOutbox(), Observer: &tally{}}
	tests := []struct {
		name     string
		settings Settings
		parts    Parts
		want     string
	}{
		{"no endpoint", Settings{}, parts, "endpoint: want a URL"},
		{"no scheme", Settings{Endpoint: "127.0.0.1:4318"}, parts, "endpoint: want a URL"},
		{"another scheme", Settings{Endpoint: "ftp://example.com"}, parts, "endpoint: want a URL"},
		{"no host", Settings{Endpoint: "http:///v1"}, parts, "endpoint: want a URL"},
		{"a query", Settings{Endpoint: "http://example.com/?key=hunter2"}, parts, "endpoint: a URL without a query"},
		{"not a URL", Settings{Endpoint: "http://user:hunter2@exa mple.com"}, parts, "endpoint: want a URL"},
		{"another protocol", Settings{Endpoint: "http://example.com", Protocol: "http/json"}, parts, `protocol "http/json": want http/protobuf or grpc`},
		{"logs without an outbox", Settings{Endpoint: "http://example.com"}, Parts{}, "logs need an outbox and an observer"},
		{
			"gRPC logs without an outbox",
			Settings{Endpoint: "http://example.com", Protocol: GRPC},
			Parts{},
			"logs need an outbox and an observer",
		},
		{"a header's name", Settings{Endpoint: "http://example.com", Headers: map[string]Header{"a b": nil}}, parts, `header "a b": want letters`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(tc.settings, tc.parts)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	s := Settings{}.withDefaults()
	if s.Protocol != HTTP || s.Interval != 15*time.Second || s.Timeout != 10*time.Second || s.ShutdownTimeout != 10*time.Second {
		t.Errorf("defaults %+v", s)
	}
}
