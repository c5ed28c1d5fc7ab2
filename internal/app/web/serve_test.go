package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// welcome answers every request.
var welcome = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "welcome\n") })

// start serves on two free ports until the test ends; stop ends it and returns
// what Serve returned.
func start(t *testing.T, settings ServeSettings) (addresses []string, stop func() error) {
	t.Helper()
	listeners, err := Listen(t.Context(), []string{"127.0.0.1:0", "127.0.0.1:0"})
	require.NoError(t, err)
	for _, listener := range listeners {
		addresses = append(addresses, listener.Addr().String())
	}
	settings.Listeners = listeners
	if settings.Logger == nil {
		settings.Logger = quiet
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- Serve(ctx, settings) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return <-result
	}
	t.Cleanup(func() {
		if !stopped {
			_ = stop()
		}
	})
	return addresses, stop
}

// get asks a server over the network.
func get(t *testing.T, client *http.Client, url, user, password string) (code int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// newClient is a client without a pool shared with other tests.
func newClient(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func TestServeRefusesHugeHeaders(t *testing.T) {
	for name, public := range map[string]bool{"our own": false, "strangers": true} {
		t.Run(name, func(t *testing.T) {
			const limit = 32 << 10
			addresses, _ := start(t, ServeSettings{Handler: welcome, Public: public})
			client := newClient(t, &http.Transport{})
			for size, want := range map[int]int{limit - 1024: 200, limit + 8192: 431} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addresses[0]+
					"/-/healthy", nil)
				require.NoError(t, err)
				request.Header.Set("X-Padding", strings.Repeat("x", size))
				answer, err := client.Do(request)
				require.NoError(t, err)
				answer.Body.Close()
				if answer.StatusCode != want {
					t.Errorf("%d bytes: got %d, want %d", size, answer.StatusCode, want)
				}
			}
		})
	}
}

func TestServeLetsRequestsInHandEnd(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	addresses, stop := start(t, ServeSettings{
		ShutdownTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(began)
			<-release
			_, _ = io.WriteString(w, "whole")
		}),
	})
	client := newClient(t, &http.Transport{})
	answer := make(chan string, 1)
	go func() {
		_, body, err := get(t, client, "http://"+addresses[0]+"/", "", "")
		if err != nil {
			body = err.Error()
		}
		answer <- body
	}()
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	awaitRefusal(t, addresses[0])
	close(release)
	if got := <-answer; got != "whole" {
		t.Errorf("got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// awaitRefusal returns when nobody listens any more, so that shutting down has begun.
func awaitRefusal(t *testing.T, address string) {
	t.Helper()
	var dialer net.Dialer
	for {
		connection, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return
		}
		_ = connection.Close()
	}
}

func TestServeCutsOffWhatDoesNotEnd(t *testing.T) {
	var log bytes.Buffer
	began := make(chan struct{})
	addresses, stop := start(t, ServeSettings{
		ShutdownTimeout: 20 * time.Millisecond,
		Logger:          slog.New(slog.NewTextHandler(&log, nil)),
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
		}),
	})
	client := newClient(t, &http.Transport{})
	answer := make(chan error, 1)
	go func() {
		_, _, err := get(t, client, "http://"+addresses[0]+"/", "", "")
		answer <- err
	}()
	<-began
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if err := <-answer; err == nil {
		t.Error("the request ended well")
	}
	if !strings.Contains(log.String(), "Requests were cut off") {
		t.Errorf("logged %s", log.String())
	}
}

func TestServeStopsWhenAListenerFails(t *testing.T) {
	listeners, err := Listen(t.Context(), []string{"127.0.0.1:0", "127.0.0.1:0"})
	require.NoError(t, err)
	address := listeners[1].Addr().String()
	_ = listeners[1].Close()
	err = Serve(t.Context(), ServeSettings{Listeners: listeners, Handler: http.NotFoundHandler(), Logger: quiet})
	if err == nil || !strings.HasPrefix(err.Error(), "serve on "+address+": ") {
		t.Errorf("got %v", err)
	}
	if _, err := listeners[0].Accept(); err == nil {
		t.Error("the other listener is still open")
	}
}

// awaitBegun waits until every listener serves: each reads the configuration file when it
// begins, and one that begins with a bad file ends them all.
func awaitBegun(t *testing.T, client *http.Client, addresses []string) {
	t.Helper()
	for _, address := range addresses {
		if code, _, err := get(t, client, "http://"+address+"/", "", ""); err != nil || code != http.StatusNotFound {
			t.Fatalf("%s: %d, %v", address, code, err)
		}
	}
}

func TestListenFailureOpensNothing(t *testing.T) {
	taken, err := Listen(t.Context(), []string{"127.0.0.1:0"})
	require.NoError(t, err)
	defer closeAll(taken)
	free, err := Listen(t.Context(), []string{"127.0.0.1:0"})
	require.NoError(t, err)
	address := free[0].Addr().String()
	closeAll(free)

	for name, test := range map[string]struct {
		addresses []string
		problem   string
	}{
		"taken":   {[]string{address, taken[0].Addr().String()}, `listen on "` + taken[0].Addr().String() + `": `},
		"no port": {[]string{address, "127.0.0.1"}, `listen on "127.0.0.1": `},
	} {
		if _, err := Listen(t.Context(), test.addresses); err == nil || !strings.HasPrefix(err.Error(), test.problem) {
			t.Errorf("%s: got %v, want %s", name, err, test.problem)
		}
	}
	var config net.ListenConfig
	again, err := config.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("the first address was left open: %v", err)
	}
	_ = again.Close()
}
