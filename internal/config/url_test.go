package config_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

func TestCheckBaseURL(t *testing.T) {
	const (
		form   = "must be a URL with scheme and host, such as https://host.example"
		user   = "must not contain a user or a password; use the keys for credentials"
		ending = "must end before ? and #; keep only scheme, host and path"
		plain  = "must be https, because credentials travel on it; plain http is for loopback hosts only " +
			"(127.0.0.1, ::1, localhost), not "
	)
	for raw, want := range map[string]string{
		"https://graph.microsoft.com":   "",
		"https://proxy.example:8443/a/": "",
		"http://127.0.0.1:8080":         "",
		"http://127.9.9.9":              "",
		"http://[::1]:8080/x":           "",
		"http://[::ffff:127.0.0.1]":     "",
		"http://LOCALHOST:1":            "",
		"HTTPS://host.example":          "",
		"http://api.example":            plain + `"api.example"`,
		"http://localhost.evil.example": plain + `"localhost.evil.example"`,
		"http://127.0.0.1.evil.example": plain + `"127.0.0.1.evil.example"`,
		"http://10.0.0.1":               plain + `"10.0.0.1"`,
		"":                              form,
		"host.example":                  form,
		"host.example:443":              form,
		"/path":                         form,
		"https://":                      form,
		"https://:443":                  form,
		"ftp://host.example":            form,
		"https://host.example:port":     form,
		"https://u:hunter2@h.example":   user,
		"https://u@h.example":           user,
		"https://h.example?a=b":         ending,
		"https://h.example?":            ending,
		"https://h.example#a":           ending,
	} {
		got := ""
		if err := config.CheckBaseURL(raw); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestProxyURL(t *testing.T) {
	for _, raw := range []string{
		"", "http://p.example:3128", "https://u:hunter2@p.example",
		"socks5://u@p.example:1080", "http://u:hunter2@p.example/?x",
	} {
		var proxy config.ProxyURL
		if err := proxy.UnmarshalText([]byte(raw)); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		if u := proxy.URL(); raw == "" && u != nil || raw != "" && u.String() != raw {
			t.Errorf("%q has the URL %v", raw, u)
		}
	}
	for _, raw := range []string{
		"p.example:3128", "ftp://p.example", "http://", "http://u:hunter2@p:example",
		"http://u:hun ter2@p",
	} {
		var proxy config.ProxyURL
		const want = "must be the URL of a proxy, such as http://proxy.example:3128 (http, https, socks5 or socks5h)"
		if err := proxy.UnmarshalText([]byte(raw)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", raw, err)
		}
	}
}
