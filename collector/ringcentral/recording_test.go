package ringcentral

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

func TestRecording(t *testing.T) {
	p := &platform{
		t:       t,
		answers: []reply{{body: `{"id":"401786818008","contentUri":"https://media.rc.example/x","contentType":"audio/mpeg","duration":46}`}},
	}
	got, err := p.open(accountLog()).recording(t.Context(), "401786818008")
	if want := (collector.RecordingInfo{ContentType: "audio/mpeg", Duration: 46 * time.Second}); err != nil ||
		got != want {
		t.Errorf("got %+v, want %+v, error %v", got, want, err)
	}
	if want := testHost + "/restapi/v1.0/account/~/recording/401786818008"; len(p.asked) != 1 || p.asked[0] != want {
		t.Errorf("asked %q, want %q alone", p.asked, want)
	}
}

// TestRecordingIDs: what isn't a number is put into no URL.
func TestRecordingIDs(t *testing.T) {
	for _, id := range []string{
		"", "1/content", "../1", "1?x", "abc", "1 ", "-1", strings.Repeat("1", 33), "1\n",
		"١",
	} {
		p := &platform{t: t}
		if _, err := p.open(accountLog()).recording(t.Context(), id); !errors.Is(err, errRecordingID) ||
			len(p.asked) != 0 {
			t.Errorf("%q: asked %q, error %v", id, p.asked, err)
		}
	}
}

func TestRecordingAnswers(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       collector.RecordingInfo
		problem    string
	}{
		{
			"with parameters", `{"contentType":"Audio/X-WAV; rate=8000","duration":0}`,
			collector.RecordingInfo{ContentType: "audio/x-wav"},
			"",
		},
		{"little", `{"id":"1"}`, collector.RecordingInfo{}, ""},
		{"nulls", `{"contentType":null,"duration":null}`, collector.RecordingInfo{}, ""},
		{"negative", `{"duration":-1}`, collector.RecordingInfo{}, "duration is negative"},
		{"duration as string", `{"duration":"555"}`, collector.RecordingInfo{}, "isn't as documented"},
		{"not a media type", `{"contentType":"call +12065550100"}`, collector.RecordingInfo{}, "isn't a media type"},
		{"an array", `["+12065550100"]`, collector.RecordingInfo{}, "isn't as documented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readRecording([]byte(test.body))
			if test.problem == "" && (err != nil || got != test.want) {
				t.Errorf("got %+v, want %+v, error %v", got, test.want, err)
			}
			if text := fmt.Sprint(err); test.problem != "" &&
				(!strings.Contains(text, test.problem) || strings.Contains(text, "555") || got != test.want) {
				t.Errorf("got %+v, error %v, want %q in it", got, err, test.problem)
			}
		})
	}
}

// TestRecordingErrors: a fault that passes is asked again, a refusal is said.
func TestRecordingErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{t: t, answers: []reply{
			{status: 503},
			{body: `[`},
			{body: `{"duration":5}`},
			refuses(http.StatusForbidden, "InsufficientPermissions", "CMN-401", "ReadCallRecording"),
		}}
		r := p.open(accountLog())
		if got, err := r.recording(t.Context(), "1"); err != nil || got.Duration != 5*time.Second {
			t.Errorf("got %+v, error %v", got, err)
		}
		_, err := r.recording(t.Context(), "1")
		if what, todo := Advise(err); !strings.Contains(what, "the app lacks the permission ReadCallRecording") ||
			!strings.Contains(todo, "Developer Console") {
			t.Errorf("of %v it says %q and %q", err, what, todo)
		}
	})
}
