package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// about makes an alert as an API tells it.
func about(name, trunk, severity, state string) parts.Alert {
	return parts.Alert{Labels: map[string]string{"alertname": name, "trunk": trunk, "severity": severity}, State: state}
}

// shown is the page of a snapshot.
func shown(t *testing.T, shot *snapshot) string {
	t.Helper()
	w := httptest.NewRecorder()
	render(w, shot)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.String()
}

func TestPage(t *testing.T) {
	body := shown(t, &snapshot{
		Alerts: merge([]parts.Alert{
			about("CDRAnswersCollapsed", "", "info", "firing"), about("CDRTrunkDown", trunk, "critical", "firing"),
		}, []parts.Alert{
			about("CDRTrunkDown", trunk, "critical", "active"), about("CDRWatchdog", "", "none", "active"),
		}),
		Figures:     []figure{{feed{"contoso", "pstn"}, 12, 10, 9}},
		Problem:     errors.New("<script>alert(1)</script>"),
		FailedSince: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Killed: 2,
	})
	for _, part := range []string{
		"The trunk fails", "since 03:04:05",
		`<th scope="row">contoso</th><td>pstn</td><td class="number">12</td><td class="number">10</td>` +
			`<td class="number">9</td>`,
		"killed 2 times", "&lt;script&gt;alert(1)", `action="trunk/mend"`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q:\n%s", part, body)
		}
	}
	if ours, other := strings.Index(body, "CDRTrunkDown</th>"),
		strings.Index(body, "CDRAnswersCollapsed</th>"); ours < 0 || other < ours {
		t.Errorf("the trunk's alert is at %d, the other at %d", ours, other)
	}
	if strings.Contains(body, "agree to the unit") {
		t.Error("numbers that differ agree")
	}
}

// TestPageExact: while publication is held it says so once the three agree, and not before.
func TestPageExact(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     figure
		exact bool
	}{
		{"all agree", figure{feed{}, 5, 5, 5}, true},
		{"one isn't counted", figure{feed{}, 6, 5, 5}, false},
		{"one isn't scraped", figure{feed{}, 5, 5, 4}, false},
		{"one is counted twice", figure{feed{}, 5, 6, 6}, false},
	} {
		body := shown(t, &snapshot{HeldSince: time.Now(), Figures: []figure{{feed{}, 1, 1, 1}, c.f}})
		if got := strings.Contains(body, "all three agree to the unit"); got != c.exact {
			t.Errorf("%s: exact is %v", c.name, got)
		}
	}
	if body := shown(t, &snapshot{HeldSince: time.Now()}); strings.Contains(body, "agree to the unit") {
		t.Error("no numbers agree")
	}
}

// TestForms: another page can't send them, and nothing else is served.
func TestForms(t *testing.T) {
	handler := (&stack{}).handler(t.Context())
	for _, c := range []struct {
		name, method, path, site string
		status                   int
	}{
		{"another site", http.MethodPost, "/trunk/mend", "cross-site", http.StatusForbidden},
		{"ours", http.MethodPost, "/trunk/mend", "same-origin", http.StatusSeeOther},
		{"without a browser", http.MethodPost, "/publication/resume", "", http.StatusSeeOther},
		{"a link", http.MethodGet, "/trunk/fail", "same-origin", http.StatusMethodNotAllowed},
		{"else", http.MethodGet, "/page.html", "", http.StatusNotFound},
	} {
		request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, http.NoBody)
		if c.site != "" {
			request.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.status)
		}
	}
}
