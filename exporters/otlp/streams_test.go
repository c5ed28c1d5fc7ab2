package otlp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// streamTexts are the streams of a session's log record: keys and values.
func streamTexts(v *commonpb.AnyValue) (all []string) {
	for _, s := range v.GetArrayValue().GetValues() {
		var parts []string
		for _, kv := range s.GetKvlistValue().GetValues() {
			value := fmt.Sprint(kv.GetValue().GetDoubleValue())
			switch kv.GetValue().GetValue().(type) {
			case *commonpb.AnyValue_StringValue:
				value = kv.GetValue().GetStringValue()
			case *commonpb.AnyValue_IntValue:
				value = fmt.Sprint(kv.GetValue().GetIntValue())
			}
			parts = append(parts, kv.GetKey()+"="+value)
		}
		all = append(all, strings.Join(parts, " "))
	}
	return all
}

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
	many := make([]cdr.Stream, 2*mostStreams)
	for i := range many {
		many[i] = good
	}
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
			"more than fit", append(many, poor), "poor", "packet_loss",
			append([]string{poorText}, strings.Split(strings.Repeat(goodText+"\n", mostStreams-1),
				"\n")[:mostStreams-1]...),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sessionRecord(t, false, bareRecord(), &cdr.Session{ID: "s", Streams: c.streams})
			verdict, rule := attributeOf(got, "cdr.session.verdict").GetStringValue(),
				attributeOf(got, "cdr.session.rule").GetStringValue()
			if verdict != c.verdict || rule != c.rule || attributeOf(got, "cdr.session.streams").
				GetIntValue() != int64(len(c.streams)) {
				t.Errorf("verdict %q by %q of %d streams", verdict, rule, attributeOf(got, "cdr.session.streams").
					GetIntValue())
			}
			if texts := streamTexts(attributeOf(got, "cdr.streams")); strings.Join(texts, "\n") != strings.Join(c.want,
				"\n") {
				t.Errorf("streams\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
