package stories

import (
	"fmt"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// sizes has stories of much data and of odd data.
func sizes() []Story {
	return []Story{
		{"everything", "Every state and every kind of gap on one page.", Everything()},
		{"many-trunks", "More than a hundred feeds and trunks.", manyTrunks()},
		{"long-names", "Very long names and errors, without a place to break them.", longNames()},
		{"odd-characters", "Names with markup, quotes, other scripts and emoji.", oddCharacters()},
	}
}

func manyTrunks() *Backend {
	b := Account()
	b.Shown.Sources = nil
	for i := range 51 {
		name := fmt.Sprintf("tenant-%03d", i+1)
		pstn, direct := Reading(Operator("Colt", Good)), Reading(Trunk("sbc1."+name+".example.com", Good))
		pstn.Feed = "pstn"
		if i%20 == 0 {
			direct = Reading(Failing("sbc1."+name+".example.com", Bad, time.Hour))
		}
		for f := range pstn.Trunks {
			pstn.Trunks[f].Source, direct.Trunks[f].Source = name, name
		}
		b.Shown.Sources = append(b.Shown.Sources,
			web.Source{Name: name, Provider: "msgraph", Feeds: []web.Feed{pstn, direct}})
	}
	return b
}

func longNames() *Backend {
	long := strings.Repeat("sehr-langer-name-", 12) + "ende"
	feed := In(web.StateError, time.Hour, "dial tcp: lookup "+long+".example.com: no such host",
		Failing(long+".example.com", Bad, time.Hour), Trunk(strings.Repeat("x", 200), Good))
	feed.Advice = "Look at " + strings.Repeat("x", 200) + "."
	b := Account(feed)
	b.Shown.Sources[0].Name = long
	b.Shown.OTLP = web.OTLP{State: web.OTLPError, LastError: strings.Repeat("y", 300)}
	b.Shown.ConfigProblem = "/etc/" + strings.Repeat("folder/", 60) + "config.yaml:7: " + strings.Repeat("z", 200)
	return b
}

func oddCharacters() *Backend {
	hit := Failing(`<b>"sbc" & 'co'</b>`, Bad, time.Hour)
	hit.Labels = cdr.NewLabels([]cdr.Label{{Name: "site", Value: "München; 東京"}})
	feed := Reading(hit, Trunk("سنترال القاهرة", Good), Trunk("☎️ 電話局", Good), Trunk("e\u0301\u202Eabc", Good),
		Trunk("{{.}} ${1}", Good))
	feed.LastError, feed.State = "line one\nline two: <script>alert(1)</script>\t\u0000", web.StateOK
	b := Account(feed)
	b.Shown.Sources[0].Name = "société «générale»"
	return b
}
