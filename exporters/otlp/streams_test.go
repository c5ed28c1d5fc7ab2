package otlp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A session's record says how bad its media were and by which rule, and has its streams, the poor ones first.
func TestStreamsOfASession(t *testing.T) {
	good := cdr.Stream{
		Media: "audio", Network: "wired", Platform: "service",
		Quality: cdr.Quality{Jitter: cdr.KnownLength(16 * time.Millisecond)},
	}
	poor := cdr.Stream{Media: "audio", ToCallee: true, Network: "wifi", Platform: "ios", Quality: cdr.Quality{
		Jitter: cdr.KnownLength(40 * time.Millisecond), RoundTrip: cdr.KnownLength(time.Second / 2),
		Loss: cdr.KnownFloat(0.5), Concealed: cdr.KnownFloat(0.25), Packets: cdr.KnownInt(900),
	}, Extra: []cdr.Attr{cdr.Text("wifi_band", "50GHz", cdr.Plain), cdr.Whole("wifi_signal", 71)}}
	const goodText = "media=audio direction=callee_to_caller verdict=good network=wired platform=service jitter=0.016"
	const poorText = "media=audio direction=caller_to_callee verdict=poor rule=packet_loss network=wifi " +
		"platform=ios jitter=0.04 round_trip=0.5 packet_loss=0.5 concealed=0.25 wifi_band=50GHz wifi_signal=71"
	for _, c := range []struct {
		name          string
		streams       []cdr.Stream
		verdict, rule string
		want          []string
	}{
		{"none", nil, "", "", nil},
		{"good", []cdr.Stream{good}, "good", "", []string{goodText}},
		{"one is poor", []cdr.Stream{good, poor}, "poor", "packet_loss", []string{poorText, goodText}},
		{
			"unclassified",
			[]cdr.Stream{{Media: "data"}},
			"unclassified", "",
			[]string{"media=data direction=callee_to_caller verdict=unclassified"},
		},
		{
			"more than fit", append(slices.Repeat([]cdr.Stream{good}, 2*mostStreams), poor), "poor", "packet_loss",
			append([]string{poorText}, slices.Repeat([]string{goodText}, mostStreams-1)...),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			event := bareSession()
			event.Session.Streams = c.streams
			got := encode(t, bareRecord(), event)
			all := func(key string) string { return valueText(attributeOf(got, "cdr."+key)) }
			if all("session.verdict") != c.verdict || all("session.rule") != c.rule ||
				attributeOf(got, "cdr.session.streams").GetIntValue() != int64(len(c.streams)) {
				t.Errorf("verdict %q by %q of %s streams", all("session.verdict"), all("session.rule"),
					all("session.streams"))
			}
			if want := strings.Join(c.want, ", "); strings.Trim(all("streams"), "[]") != want {
				t.Errorf("streams\n%s\nwant\n%s", all("streams"), want)
			}
		})
	}
}
