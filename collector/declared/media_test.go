package declared_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// TestMedia (definitions.md, "Media quality"): the streams that a row tells of.
func TestMedia(t *testing.T) {
	const all = "media: {jitter: {path: j, unit: ms}, round_trip: {path: r, unit: ms}, loss: {path: l, unit: " +
		"percent}, mos: m, packets: p, direction: {path: d, table: {rx: to_caller, tx: to_callee}}}"
	for _, c := range []struct{ name, media, row, want string }{
		{
			"all", all, `"j":12.5,"r":80,"l":"1.5","m":"4.31","p":3000,"d":"tx"`,
			"jitter 12.5ms round trip 80ms loss 0.015 mos 4.31 packets 3000 caller_to_callee good",
		},
		{"to the caller", all, `"j":1,"d":"rx"`, "jitter 1ms packets 3000 callee_to_caller good"},
		{"nobody says who hears it", all, `"m":4`, "mos 4 packets 3000 unknown unclassified"},
		{"poor, by the connected time", all, `"j":40`, "jitter 40ms packets 3000 unknown poor"},
		{"too short to be poor", all, `"j":40,"p":400`, "jitter 40ms packets 400 unknown good"},
		{"nothing", all, `"j":null,"m":"","p":12`, ""},
		{"a score that can't be", all, `"m":0`, ""},
		{"a loss that can't be", all, `"l":101,"j":1`, "jitter 1ms packets 3000 unknown good"},
		{
			"a loss of two numbers", "media: {loss: {expr: 'int(a) / (int(a) + int(b))'}}", `"a":"1","b":"3"`,
			"loss 0.25 packets 3000 unknown poor",
		},
		{
			"a loss of no packets", "media: {loss: {when: {b: '>0'}, expr: 'int(a) / (int(a) + int(b))'}}",
			`"a":"0","b":"0"`, "",
		},
		{
			"two streams", "media: [{jitter: a, direction: {is: to_caller}}, {jitter: b, direction: {is: to_callee}}]",
			`"a":0.001,"b":"0.002"`,
			"jitter 1ms packets 3000 callee_to_caller good, jitter 2ms packets 3000 caller_to_callee good",
		},
		{
			"one of two streams", "media: [{jitter: a}, {jitter: b}]", `"b":"0.002"`,
			"jitter 2ms packets 3000 unknown good",
		},
		{"no number", all, `"m":"good"`, "invalid: media.mos isn't a number"},
		{"an unknown direction", all, `"j":1,"d":"x"`, "unmapped [{media.direction x}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mapped := mapper(t, record("duration: {is: '60'}", c.media), declared.MapperSettings{}).
				MapJSON([]byte(row(c.row)))
			var streams []string
			switch r := mapped.Record; {
			case r == nil:
				streams = []string{"invalid: " + mapped.Invalid}
			case len(mapped.Unmapped) > 0:
				streams = []string{fmt.Sprintf("unmapped %v", mapped.Unmapped)}
			case r.Settled != (len(r.Streams) > 0):
				t.Error("it has settled without a stream, or the other way round")
			default:
				for i := range r.Streams {
					s, says := &r.Streams[i], ""
					if s.Jitter.Known {
						says += fmt.Sprintf("jitter %s ", s.Jitter.Value)
					}
					if s.RoundTrip.Known {
						says += fmt.Sprintf("round trip %s ", s.RoundTrip.Value)
					}
					if s.Loss.Known {
						says += fmt.Sprintf("loss %g ", s.Loss.Value)
					}
					if s.MOS.Known {
						says += fmt.Sprintf("mos %g ", s.MOS.Value)
					}
					streams = append(streams, fmt.Sprintf("%spackets %d %s %s", says, s.Packets.Value, s.Direction(),
						s.Verdict()))
				}
			}
			if got := strings.Join(streams, ", "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMediaProblems(t *testing.T) {
	for _, c := range []struct{ name, field, want string }{
		{"no measure", "media: {packets: p}", "record.media: has no measure; set at least one of jitter"},
		{"no measure in a list", "media: [{mos: m}, {packets: p}]", "record.media[1]: has no measure"},
		{"an unknown key", "media: {jiter: j}", "unknown key"},
		{
			"a wrong direction", "media: {mos: m, direction: {is: in}}",
			`direction: is "in", must be to_callee or to_caller`,
		},
		{
			"a jitter in percent", "media: {jitter: {path: j, unit: percent}}",
			"record.media[0].jitter: has unit: percent, which only works for the loss of media",
		},
		{"a duration in percent", "duration: {path: j, unit: percent}", "record.duration: has unit: percent"},
		{"a parameter", "media: {mos: parameter.x}", "record.media[0].mos: names the parameter x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := declared.Load("d.yaml", []byte(acmetel+record(c.field))); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
