package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// Every element that is opened is closed, in order. Browsers don't insist on that.
func TestPageIsWellFormed(t *testing.T) {
	void := []string{"meta", "link", "br", "input", "img"}
	body, _ := statusPage(t, stories.Everything())
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

// Neither the page nor its own files refer to anything else, and nothing is written into
// the page that its policy would have to make an exception for.
func TestPageRefersToNothingOutside(t *testing.T) {
	body, _ := statusPage(t, stories.Everything())
	outside := regexp.MustCompile(`(?i)(https?:|wss?:|//[a-z]|@import|url\()\S*`)
	for name, text := range map[string]string{
		"page": body, "style": file(t, "page.css"),
		"script": withoutComments(file(t, "page.js")),
	} {
		if found := outside.FindAllString(text, -1); found != nil {
			t.Errorf("the %s has %q", name, found)
		}
	}
	// An image must name its namespace, an address that no browser requests.
	if found := outside.FindAllString(file(t, "icon.svg"), -1); len(found) != 1 ||
		!strings.HasPrefix(found[0], "http://www.w3.org/2000/svg") {
		t.Errorf("the icon has %q", found)
	}
	eachElement(t, body, func(node *html.Node) {
		if node.Data == "style" || node.Data == "script" && node.FirstChild != nil {
			t.Errorf("there is a <%s> within the page", node.Data)
		}
		for _, attr := range node.Attr {
			switch attr.Key {
			case "style", "onclick", "onload", "onerror", "srcdoc":
				t.Errorf("<%s> has the attribute %s", node.Data, attr.Key)
			case "href", "src", "action":
				if !strings.HasPrefix(attr.Val, "./") && attr.Val != "#trunks" {
					t.Errorf("<%s> refers to %q", node.Data, attr.Val)
				}
			}
		}
	})
}

// withoutComments removes the comments of the script, whose slashes would look like an address.
func withoutComments(body string) string {
	return regexp.MustCompile(`(?m)//\s.*$`).ReplaceAllString(body, "")
}

// The server has every file that the page refers to, at the address that the page uses.
func TestPageFindsItsFiles(t *testing.T) {
	handler := newHandler(t, stories.Everything())
	found := 0
	body, _ := statusPage(t, stories.Everything())
	eachElement(t, body, func(node *html.Node) {
		address := attribute(node, "href") + attribute(node, "src")
		if !strings.HasPrefix(address, "./") {
			return
		}
		found++
		answer := ask(t, handler, http.MethodGet, strings.TrimPrefix(address, "."))
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d", address, answer.Code)
		}
		for kind, want := range map[string]string{
			".css": "text/css; charset=utf-8",
			".js":  "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		} {
			if got := answer.Header().Get("Content-Type"); strings.HasSuffix(address, kind) && got != want {
				t.Errorf("%s is %q", address, got)
			}
		}
	})
	if found < 8 {
		t.Errorf("%d addresses", found)
	}
}

// file is one of the page's own files.
func file(t *testing.T, name string) string {
	t.Helper()
	answer := ask(t, newHandler(t, &stories.Backend{}), http.MethodGet, "/assets/"+name)
	if answer.Code != http.StatusOK {
		t.Fatalf("%s: %d", name, answer.Code)
	}
	return answer.Body.String()
}

func TestContentSecurityPolicy(t *testing.T) {
	const want = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
		"connect-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	if _, policy := statusPage(t, stories.Everything()); policy != want {
		t.Errorf("the policy is %s, want %s", policy, want)
	}
}

// TestFailureHasNoLooseText: everything in a failure's column is in elements, each on separate lines,
// so no separator stands alone on a line.
func TestFailureHasNoLooseText(t *testing.T) {
	for _, story := range stories.All() {
		body, _ := statusPage(t, story.Backend)
		eachElement(t, body, func(node *html.Node) {
			if node.Data != "td" || attribute(node, "class") != "problem" {
				return
			}
			for child := range node.ChildNodes() {
				if child.Type == html.TextNode && strings.TrimSpace(child.Data) != "" {
					t.Errorf("%s: %q stands alone", story.Name, child.Data)
				}
			}
		})
	}
	body, _ := statusPage(t, storyOf(t, "trunk-down"))
	if !strings.Contains(body, "; your SBC; 63 of 64 failed attempts are of cost centre 4711, 63 of site Berlin<") {
		t.Errorf("the failure isn't shown whole:\n%s", body)
	}
}

// The page escapes all texts that come from elsewhere.
func TestPageEscapes(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror='alert(1)'>{{.}}` + "`${1}`"
	backend := &stories.Backend{NotReady: hostile, Shown: web.Status{
		Version: hostile,
		Sources: []web.Source{{Name: hostile, Provider: hostile, Feeds: []web.Feed{{
			Feed: hostile, State: hostile, LastError: hostile, Advice: hostile,
		}}, Budget: &web.Budget{Group: hostile, Limit: 1}}},
		OTLP: web.OTLP{State: hostile, LastError: hostile},
	}, OnActivity: func(context.Context, time.Time) ([]web.Activity, error) {
		return []web.Activity{{Start: stories.Now, Calls: 1}}, nil
	}}
	body, _ := statusPage(t, backend)
	scripts, shown := 0, 0
	eachElement(t, body, func(node *html.Node) {
		switch node.Data {
		case "script":
			scripts++
		case "img":
			if attribute(node, "src") == "x" {
				t.Error("an image came in")
			}
		case "span", "p", "th", "td", "li":
			if strings.Contains(textOf(node), hostile) {
				shown++
			}
		}
		for _, attr := range node.Attr {
			if strings.HasPrefix(attr.Key, "on") {
				t.Errorf("<%s> got the attribute %s", node.Data, attr.Key)
			}
		}
	})
	if scripts != 1 {
		t.Errorf("%d scripts, want 1", scripts)
	}
	if shown < 12 {
		t.Errorf("shown %d times as text, want 12 or more", shown)
	}
}

// Nothing of a request gets onto the page.
func TestPageShowsNothingOfTheRequest(t *testing.T) {
	usual, _ := statusPage(t, stories.Everything())
	for _, query := range []string{
		"source=zzmark", "span=24h", "zzmark=zzmark", "source=%zzmark", "source=%3Cscript%3Ezzmark%3C/script%3E",
		"source=%25zzmark", "source=" + strings.Repeat("zzmark", 1000),
	} {
		answer := ask(t, newHandler(t, stories.Everything()), http.MethodGet, "/?"+query)
		if answer.Code != http.StatusOK || answer.Body.String() != usual {
			t.Errorf("%.40s: another page, %d", query, answer.Code)
		}
	}
}

func TestUnrenderablePageIsLogged(t *testing.T) {
	var log bytes.Buffer
	// No clock of ours says so, but encoding/json refuses such a year.
	never := web.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	handler, err := web.Handler(web.Settings{
		Metrics: http.NotFoundHandler(), Backend: &stories.Backend{Shown: web.Status{OTLP: web.OTLP{Oldest: never}}},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	answer := ask(t, handler, http.MethodGet, "/api/v1/status")
	if answer.Code != http.StatusInternalServerError || answer.Body.String() != "Internal error; the log says why.\n" {
		t.Errorf("got %d %q", answer.Code, answer.Body)
	}
	if !strings.Contains(log.String(), "path=/api/v1/status") {
		t.Errorf("logged %q", log.String())
	}
}

func eachElement(t *testing.T, body string, do func(*html.Node)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
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

// A page shows which replica reads what. TestVerdictOfEachStory has what it judges.
func TestReplicasOnThePage(t *testing.T) {
	body, _ := statusPage(t, storyOf(t, "read-elsewhere"))
	for _, want := range []string{
		`<a href="http://10.0.0.7:9887/">cdr-0</a>: 2 feeds`, `cdr-1 (this one): 0 feeds`, `read elsewhere`, `1,234`,
		`by <a href="http://10.0.0.7:9887/">cdr-0</a>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "javascript:") || strings.Contains(body, "10.0.0.8") {
		t.Error("the page links to an address that isn't a page, or to itself")
	}
	if body, _ = statusPage(t, stories.Everything()); strings.Contains(body, "Replicas") {
		t.Error("a ledger that isn't shared has replicas")
	}
}

// Without the activity the page is there all the same, and the log says why.
func TestActivityThatCannotBeRead(t *testing.T) {
	var log bytes.Buffer
	backend := stories.Everything()
	backend.OnActivity = func(context.Context, time.Time) ([]web.Activity, error) {
		return nil, errors.New("the disk is gone")
	}
	handler, err := web.Handler(web.Settings{
		Metrics: http.NotFoundHandler(), Backend: backend, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	page := ask(t, handler, http.MethodGet, "/")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "1,234,567") ||
		strings.Contains(page.Body.String(), `class="axis"`) {
		t.Errorf("the page: %d", page.Code)
	}
	if !strings.Contains(page.Body.String(), "The ledger can't be read at the moment") ||
		strings.Contains(page.Body.String(), "No calls started") {
		t.Error("the page doesn't say that it doesn't know")
	}
	if n := strings.Count(log.String(), "the disk is gone"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
}

// TestGoldens: the page and its JSON, of an incident with every state and of nothing at all.
func TestGoldens(t *testing.T) {
	for name, backend := range map[string]*stories.Backend{
		"status": stories.Everything(), "empty": stories.NoSource(),
	} {
		page, _ := statusPage(t, backend)
		golden.File(t, filepath.Join("testdata", name+".html"), []byte(page))
		answer := ask(t, newHandler(t, backend), http.MethodGet, "/api/v1/status")
		if got := answer.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("got Content-Type %q", got)
		}
		golden.File(t, filepath.Join("testdata", name+".json"), answer.Body.Bytes())
		again, err := json.MarshalIndent(statusOf(t, backend), "", "  ")
		if err != nil || string(again)+"\n" != answer.Body.String() {
			t.Errorf("read and written again: %v\n%s", err, again)
		}
	}
}

func TestTimeJSON(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	for name, test := range map[string]struct {
		time web.Time
		want string
	}{
		"zero":         {web.Time{}, `null`},
		"zero in zone": {web.Time{Time: time.Time{}.In(zone)}, `null`},
		"whole second": {web.Time{Time: time.Date(2026, 3, 29, 14, 0, 0, 0, zone)}, `"2026-03-29T12:00:00Z"`},
		"milliseconds": {
			web.Time{Time: time.Date(2026, 3, 29, 12, 0, 0, 123999999, time.UTC)}, `"2026-03-29T12:00:00.123Z"`,
		},
	} {
		got, err := json.Marshal(test.time)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, test.want)
		}
	}
	if _, err := json.Marshal(web.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("year 10000: no error")
	}
}

// commands are the commands of a page that list the calls of a figure.
func commands(t *testing.T, body string) (all []string) {
	eachElement(t, body, func(node *html.Node) {
		if text := textOf(node); node.Data == "code" && strings.HasPrefix(text, "cdr-exporter explain ") {
			all = append(all, text)
		}
	})
	return all
}

// TestExplainCommands: each figure of failed calls has the command that lists them, from the first call that it counts.
func TestExplainCommands(t *testing.T) {
	failing := stories.Failing("sbc1.example.com", strings.Repeat("c", 52)+strings.Repeat("f", 12), time.Minute)
	feed := stories.Reading(failing, stories.Trunk("it's", stories.Good[:60]+"f"))
	overlapping := web.Feed{Feed: "call_records", State: web.StateOK, Overlaps: true}
	backend := stories.Account(feed, overlapping)
	alone := web.Feed{Feed: "call_records", State: web.StateOK}
	backend.Shown.Sources = append(backend.Shown.Sources, web.Source{Name: "alone", Feeds: []web.Feed{alone}})
	backend.Shown.ConfigFile = "/etc/cdr.yaml"
	backend.OnActivity = stories.RisingActivity
	body, _ := statusPage(t, backend)
	got := commands(t, body)
	for _, want := range []string{
		`'cdr_call_failures_total{source="contoso",feed="direct_routing",trunk="sbc1.example.com",` +
			`direction="outbound",outcome="failed"}' --from 2026-03-29T`,
		`'cdr_call_failures_total{source="contoso",feed="direct_routing",trunk="it'\''s",direction="outbound",` +
			`outcome="failed"}' --from 2026-03-29T`,
		`'cdr_calls_total{feed!~"call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_calls_total{source="alone",feed="call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_call_failures_total{outcome="failed",feed!~"call_records"}' --from 2026-03-28T12:15:00Z`,
		`'cdr_call_failures_total{outcome="failed",feed!~"call_records"}' --from 2026-03-29T`,
	} {
		want = "cdr-exporter explain --config.file /etc/cdr.yaml " + want
		if !slices.ContainsFunc(got, func(command string) bool { return strings.HasPrefix(command, want) }) {
			t.Errorf("the page lacks %s, it has:\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, s := range stories.All() {
		body, _ := statusPage(t, s.Backend)
		for _, command := range commands(t, body) {
			quoted := command[strings.Index(command, "'")+1 : strings.LastIndex(command, "'")] // as a shell reads it
			if _, err := explain.Parse(strings.ReplaceAll(quoted, `'\''`, `'`), nil); err != nil {
				t.Errorf("%s: %s: %v", s.Name, command, err)
			}
		}
	}
}
