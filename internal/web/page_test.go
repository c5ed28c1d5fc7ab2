package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// statusPage is the page as it is answered.
func statusPage(t *testing.T, backend *fakeBackend) (body, policy string) {
	t.Helper()
	answer := ask(t, newHandler(t, backend), http.MethodGet, "/")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %q", answer.Code, answer.Header().Get("Content-Type"))
	}
	return answer.Body.String(), answer.Header().Get("Content-Security-Policy")
}

func TestPageGolden(t *testing.T) {
	for name, test := range map[string]struct {
		backend fakeBackend
		golden  string
	}{
		"every state":    {fakeBackend{status: exampleStatus()}, "status.html"},
		"nothing at all": {fakeBackend{notReady: "the ledger is being opened"}, "empty.html"},
	} {
		t.Run(name, func(t *testing.T) {
			body, _ := statusPage(t, &test.backend)
			for asset, text := range map[string]string{"style": pageCSS, "script": pageJS} {
				if strings.Count(body, text) != 1 {
					t.Errorf("the %s isn't there once as it was written", asset)
				}
				body = strings.Replace(body, text, "…", 1)
			}
			checkGolden(t, test.golden, body)
		})
	}
}

// Every element that is opened is closed, in order, as the parser of a browser
// needn't insist on.
func TestPageIsWellFormed(t *testing.T) {
	void := []string{"meta", "link", "br", "input"}
	body, _ := statusPage(t, &fakeBackend{status: exampleStatus()})
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(body))
	for {
		kind := tokens.Next()
		token := tokens.Token()
		switch {
		case kind == html.ErrorToken:
			if len(open) != 0 {
				t.Errorf("never closed: %v", open)
			}
			return
		case kind == html.StartTagToken && !slices.Contains(void, token.Data):
			open = append(open, token.Data)
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> in %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestPageRefersToNothingOutside(t *testing.T) {
	body, _ := statusPage(t, &fakeBackend{status: exampleStatus()})
	if found := regexp.MustCompile(`(?i)(https?:|wss?:|//[a-z]|@import|url\()\S*`).FindAllString(withoutComments(body), -1); found != nil {
		t.Errorf("found %q", found)
	}
	eachElement(t, body, func(node *html.Node) {
		for _, attr := range node.Attr {
			switch attr.Key {
			case "style", "onclick", "onload", "onerror", "srcdoc", "src":
				t.Errorf("<%s> has the attribute %s", node.Data, attr.Key)
			case "href":
				if !strings.HasPrefix(attr.Val, "./") && attr.Val != "data:," {
					t.Errorf("<%s> refers to %q", node.Data, attr.Val)
				}
			}
		}
	})
}

// withoutComments removes the comments of the script, where two slashes are no address.
func withoutComments(body string) string {
	return regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAllString(body, "")
}

func TestContentSecurityPolicy(t *testing.T) {
	body, policy := statusPage(t, &fakeBackend{status: exampleStatus()})
	for _, word := range []string{"unsafe-", "*", "http", "nonce"} {
		if strings.Contains(policy, word) {
			t.Errorf("the policy has %q: %s", word, policy)
		}
	}
	for _, want := range []string{
		"default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	} {
		if !slices.Contains(strings.Split(policy, "; "), want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	found := 0
	eachElement(t, body, func(node *html.Node) {
		if node.Data != "style" && node.Data != "script" {
			return
		}
		found++
		if want := node.Data + "-src '" + hash(node.FirstChild.Data) + "'"; !slices.Contains(strings.Split(policy, "; "), want) {
			t.Errorf("the policy doesn't allow the page's own %s: %s", node.Data, policy)
		}
	})
	if found != 2 {
		t.Errorf("%d styles and scripts, want 2", found)
	}
}

// The table says what it is to those who can't see it.
func TestPageIsAccessible(t *testing.T) {
	body, _ := statusPage(t, &fakeBackend{status: exampleStatus()})
	scopes, ids, texts := map[string]int{}, map[string]int{}, map[string]string{}
	live, labels := 0, []string{}
	eachElement(t, body, func(node *html.Node) {
		switch node.Data {
		case "caption", "h1", "title":
			texts[node.Data] = strings.TrimSpace(textOf(node))
		case "th":
			scopes[attribute(node, "scope")]++
		case "html":
			texts["lang"] = attribute(node, "lang")
		}
		if id := attribute(node, "id"); id != "" {
			ids[id]++
		}
		if label := attribute(node, "aria-labelledby"); label != "" {
			labels = append(labels, label)
		}
		if attribute(node, "aria-live") == "polite" {
			live++
		}
	})
	if texts["caption"] != "Feeds times are UTC" || texts["h1"] != "cdr-exporter" || texts["title"] != "cdr-exporter" || texts["lang"] != "en" {
		t.Errorf("got %v", texts)
	}
	if scopes["col"] != 8 || scopes["rowgroup"] != 2 || scopes["row"] != 4 || len(scopes) != 3 {
		t.Errorf("got scopes %v", scopes)
	}
	if live != 1 {
		t.Errorf("%d live regions, want 1", live)
	}
	for _, label := range labels {
		if ids[label] != 1 {
			t.Errorf("%d elements are called %s", ids[label], label)
		}
	}
}

// What comes from elsewhere is text, whatever it looks like.
func TestPageEscapes(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror='alert(1)'>{{.}}` + "`${1}`"
	at := Time(now)
	backend := &fakeBackend{notReady: hostile, status: Status{
		Version: hostile,
		Sources: []Source{{Name: hostile, Provider: hostile, Feeds: []Feed{{
			Feed: hostile, State: hostile, LastError: hostile, Advice: hostile, LastErrorAt: at,
		}}}},
		OTLP: OTLP{State: hostile, LastError: hostile, Advice: hostile},
	}}
	body, _ := statusPage(t, backend)
	scripts, shown := 0, 0
	eachElement(t, body, func(node *html.Node) {
		switch node.Data {
		case "script":
			scripts++
		case "img":
			t.Error("an image came in")
		case "span", "p", "th":
			if strings.Contains(textOf(node), hostile) {
				shown++
			}
		}
	})
	if scripts != 1 {
		t.Errorf("%d scripts, want 1", scripts)
	}
	if shown < 9 {
		t.Errorf("shown %d times as text, want 9 or more", shown)
	}
}

func TestUnrenderablePageIsLogged(t *testing.T) {
	var log bytes.Buffer
	// No clock of ours says so, but encoding/json refuses such a year.
	handler, err := Handler(Settings{
		Metrics: http.NotFoundHandler(), Backend: &fakeBackend{}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Now: func() time.Time { return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := ask(t, handler, http.MethodGet, "/api/v1/status")
	if answer.Code != http.StatusInternalServerError || answer.Body.String() != "This can't be shown; the log says why.\n" {
		t.Errorf("got %d %q", answer.Code, answer.Body)
	}
	if !strings.Contains(log.String(), "path=/api/v1/status") {
		t.Errorf("logged %q", log.String())
	}
}

func eachElement(t *testing.T, body string, do func(*html.Node)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			do(node)
		}
	}
}

func attribute(node *html.Node, key string) string {
	for _, attr := range node.Attr {
		if attr.Key == key {
			return attr.Val
		}
	}
	return ""
}

func textOf(node *html.Node) string {
	var text strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
	}
	return text.String()
}
