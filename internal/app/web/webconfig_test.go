package web

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// writeFile writes a file into a folder and returns its path.
func writeFile(t *testing.T, folder, name, text string) string {
	t.Helper()
	name = filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// writeCertificate makes cert.pem and key.pem for 127.0.0.1 and returns whom to trust.
func writeCertificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	authority, err := simulator.NewAuthority()
	require.NoError(t, err)
	writeFile(t, folder, "cert.pem", string(authority.CA()))
	writeFile(t, folder, "key.pem", string(authority.Key()))
	return authority.Pool()
}

func TestServeTLSAndBasicAuth(t *testing.T) {
	folder := t.TempDir()
	pool := writeCertificate(t, folder)
	hashed, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	require.NoError(t, err)
	file := writeFile(t, folder, "web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"+
		"basic_auth_users: {ali: "+string(hashed)+"}\n")
	addresses, stop := start(t, ServeSettings{
		Handler: welcome, WebConfigFile: file,
	})
	client := newClient(t, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true})
	for _, address := range addresses {
		for name, test := range map[string]struct {
			url, user, password string
			code                int
		}{
			"metrics":         {"https://" + address + "/metrics", "ali", "open sesame", 200},
			"page":            {"https://" + address + "/", "ali", "open sesame", 200},
			"wrong password":  {"https://" + address + "/metrics", "ali", "open barley", 401},
			"unknown user":    {"https://" + address + "/metrics", "kasim", "open sesame", 401},
			"nobody":          {"https://" + address + "/metrics", "", "", 401},
			"health too":      {"https://" + address + "/-/healthy", "", "", 401},
			"plain to TLS":    {"http://" + address + "/metrics", "ali", "open sesame", 400},
			"nothing is told": {"https://" + address + "/nothing", "", "", 401},
		} {
			code, body, err := get(t, client, test.url, test.user, test.password)
			if err != nil || code != test.code {
				t.Errorf("%s: got %d, %v, want %d", name, code, err, test.code)
			}
			if code == 401 && body != "Unauthorized\n" {
				t.Errorf("%s: got %q", name, body)
			}
		}
	}
	stranger := newClient(t, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}})
	if _, _, err := get(t, stranger, "https://"+addresses[0]+"/metrics", "ali", "open sesame"); err == nil {
		t.Error("the certificate was trusted by a client that doesn't know it")
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestValidateConfigFile(t *testing.T) {
	if err := ValidateConfigFile(""); err != nil {
		t.Errorf("no file: %v", err)
	}
	if err := ValidateConfigFile(filepath.Join(t.TempDir(), "none.yml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	for name, test := range map[string]struct{ text, problem string }{
		"empty":               {"", ""},
		"only HTTP":           {"http_server_config: {http2: false}\n", ""},
		"unknown key":         {"basic_auth: {}\n", "field basic_auth not found"},
		"password in clear":   {"basic_auth_users: {ali: opensesame}\n", "a password is not a bcrypt hash"},
		"password as the map": {"basic_auth_users: opensesame\n", "cannot unmarshal !!str <value> into"},
		"password with marks": {"basic_auth_users: \"`open`sesame\"\n", "cannot unmarshal !!str <value> into"},
		"password as anchor":  {"basic_auth_users: {ali: *opensesame}\n", "anchor <value>"},
		"no such certificate": {
			"tls_server_config: {cert_file: none.pem, key_file: none.pem}\n",
			"failed to read cert_file",
		},
		"no key": {"tls_server_config: {cert_file: cert.pem}\n", "missing one of key or key_file"},
		"header not allowed": {
			"http_server_config: {headers: {X-Own: a}}\n",
			`HTTP header "X-Own" can not be configured`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := writeFile(t, t.TempDir(), "web.yml", test.text)
			err := ValidateConfigFile(file)
			if test.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "web configuration file "+file+": ") ||
				!strings.Contains(err.Error(), test.problem) {
				t.Fatalf("got %v, want %q", err, test.problem)
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the password is in the error: %v", err)
			}
			listeners, listenErr := Listen(t.Context(), []string{"127.0.0.1:0"})
			if listenErr != nil {
				t.Fatal(listenErr)
			}
			got := Serve(t.Context(), ServeSettings{
				Listeners: listeners, Handler: http.NotFoundHandler(), WebConfigFile: file, Logger: quiet,
			})
			if got == nil || !strings.Contains(got.Error(), test.problem) || strings.Contains(got.Error(), "sesame") {
				t.Errorf("Serve: got %v, want %v", got, err)
			}
			if _, err := listeners[0].Accept(); err == nil {
				t.Error("the listener is still open")
			}
		})
	}
}

// A file that loses its users while it is served lets nobody in until that is meant.
func TestUsersThatVanish(t *testing.T) {
	hashed, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	require.NoError(t, err)
	users := "basic_auth_users: {ali: " + string(hashed) + "}\n"
	var log bytes.Buffer
	file := writeFile(t, t.TempDir(), "web.yml", users)
	addresses, stop := start(t, ServeSettings{
		Handler:       welcome,
		WebConfigFile: file, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	client := newClient(t, &http.Transport{})
	// Once it has answered, it has seen the users.
	if code, _, err := get(t, client, "http://"+addresses[0]+"/metrics", "", ""); err != nil || code != 401 {
		t.Fatalf("before: got %d, %v, want 401", code, err)
	}
	for _, step := range []struct {
		name, text, user string
		code             int
	}{
		{"emptied", "", "", 401},
		{"only headers", "http_server_config: {headers: {X-Frame-Options: deny}}\n", "ali", 401},
		{"a key without users", "basic_auth_users:\n", "", 401},
		{"users again", users, "ali", 200},
		{"nobody of them", users, "", 401},
		{"meant", "basic_auth_users: {}\n", "", 200},
		{"emptied after that", "", "", 200},
	} {
		require.NoError(t, os.WriteFile(file, []byte(step.text), 0o600))
		if code, _, err := get(t, client, "http://"+addresses[0]+"/metrics", step.user, "open sesame"); err != nil ||
			code != step.code {
			t.Errorf("%s: got %d, %v, want %d", step.name, code, err, step.code)
		}
	}
	require.NoError(t, stop())
	if n := strings.Count(log.String(), "has no users any more"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}

func TestRedactingLogger(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(serverLog{slog.NewTextHandler(&log, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}), nil})
	logger.With("part", "web").WithGroup("tls").Info("bad `sesame` here", "err", errors.New("value `sesame`"), "text",
		"`sesame`", "n", 1)
	const want = "level=INFO msg=\"bad <value> here\" part=web tls.err=\"value <value>\" tls.text=<value> tls.n=1\n"
	if log.String() != want {
		t.Errorf("got  %swant %s", log.String(), want)
	}
}
