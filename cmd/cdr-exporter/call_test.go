package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const someCall = "5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0"

// aCall is a call of two with a part of each kind.
func aCall() *collector.CallTree {
	stream := func(direction, verdict string) *collector.CallTree {
		return &collector.CallTree{Label: "stream", Fields: []cdr.Attr{
			cdr.Text("media", "audio", cdr.Plain), cdr.Text("direction", direction, cdr.Plain),
			cdr.Text("network", "wifi", cdr.Plain), cdr.Text("verdict", verdict, cdr.Plain),
			cdr.Text("jitter", "34 ms", cdr.Plain), cdr.Text("packet_loss", "12.5 %", cdr.Plain),
			cdr.Whole("packets", 12000), cdr.Text("codec", "SILK wide band", cdr.Plain),
		}}
	}
	return &collector.CallTree{
		Label: "call_record",
		Fields: []cdr.Attr{
			cdr.Text("id", someCall, cdr.Plain), cdr.Text("type", "peer_to_peer", cdr.Plain), cdr.Whole("version", 3),
			cdr.Text("start", "2026-11-20T12:00:00Z", cdr.Plain),
			cdr.Texts("modalities", []string{"audio", "video"}, cdr.Plain),
			cdr.Text("join_url", "https://teams.example/l/meetup/"+strings.Repeat("0123456789", 6), cdr.Plain),
		},
		Children: []*collector.CallTree{
			{Label: "participant", Fields: []cdr.Attr{
				cdr.Text("name", "Megan Bowen", cdr.User),
				cdr.Text("ip", "10.1.2.3", cdr.Address),
			}},
			{Label: "participant", Fields: []cdr.Attr{cdr.Text("number", "+14255550123", cdr.Number)}},
			{
				Label:  "session",
				Fields: []cdr.Attr{cdr.Text("result", "dropped", cdr.Plain), cdr.Truth("is_test", false)},
				Children: []*collector.CallTree{{
					Label: "segment",
					Children: []*collector.CallTree{
						stream("caller_to_callee", "poor"),
						stream("callee_to_caller", "good"),
					},
				}},
			},
		},
	}
}

// looking is a source that answers so.
func looking(tree *collector.CallTree, err error) *collector.Source {
	return &collector.Source{
		LookUp: func(_ context.Context, id string) (*collector.CallTree, error) {
			if id != someCall {
				return nil, fmt.Errorf("asked for %q", id)
			}
			return tree, err
		},
		Advise: func(err error) (what, todo string) { return "it failed: " + err.Error(), "mend it" },
	}
}

// printedCall is what the command prints of a call.
func printedCall(t *testing.T, tree *collector.CallTree, output string, policy cdr.Policy) string {
	t.Helper()
	var out bytes.Buffer
	k := &call{source: "contoso", id: someCall, output: output}
	require.NoError(t, k.print(t.Context(), looking(tree, nil), cdr.NewRedactor(policy, []byte("key")), &out))
	return out.String()
}

var keepAll = cdr.Policy{Numbers: cdr.Keep, Users: cdr.Keep, Addresses: cdr.Keep}

// wantTree has lines of at most treeWidth columns, but for a field that is longer.
const wantTree = `call_record  id: 5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0  type: peer_to_peer  version: 3
│            start: 2026-11-20T12:00:00Z  modalities: audio, video
│            join_url: https://teams.example/l/meetup/012345678901234567890123456789012345678901234567890123456789
├─ participant  name: Megan Bowen  ip: 10.1.2.3
├─ participant  number: +14255550123
└─ session  result: dropped  is_test: false
   └─ segment
      ├─ stream  media: audio  direction: caller_to_callee  network: wifi  verdict: poor
      │          jitter: 34 ms  packet_loss: 12.5 %  packets: 12000  codec: SILK wide band
      └─ stream  media: audio  direction: callee_to_caller  network: wifi  verdict: good
                 jitter: 34 ms  packet_loss: 12.5 %  packets: 12000  codec: SILK wide band
`

func TestCallTree(t *testing.T) {
	if got := printedCall(t, aCall(), "tree", keepAll); got != wantTree {
		t.Errorf("got\n%s", got)
	}
}

// Every class of value is redacted, however deep it is.
func TestCallIsRedacted(t *testing.T) {
	for name, test := range map[string]struct {
		policy     cdr.Policy
		has, hasnt []string
	}{
		"as by default": {
			cdr.DefaultPolicy(),
			[]string{"+1425555****", "name: "},
			[]string{"Megan", "0123\n", "10.1.2.3", "ip:"},
		},
		"all dropped": {cdr.Policy{}, []string{"participant\n"}, []string{"Megan", "name:", "number:", "ip:"}},
		"all kept":    {keepAll, []string{"Megan Bowen", "+14255550123", "10.1.2.3"}, nil},
	} {
		for _, output := range []string{"tree", "json"} {
			t.Run(name+" "+output, func(t *testing.T) {
				tree := aCall()
				tree.Children[2].Children[0].Children[0].Children = tree.Children[:2:2]
				got := printedCall(t, tree, output, test.policy)
				for _, want := range test.has {
					if output == "tree" && !strings.Contains(got, want) {
						t.Errorf("lacks %q:\n%s", want, got)
					}
				}
				for _, unwanted := range test.hasnt {
					if strings.Contains(got, unwanted) {
						t.Errorf("has %q:\n%s", unwanted, got)
					}
				}
			})
		}
	}
}

// Names are what strangers have called themselves: they move no cursor, turn no text
// round, and look like no line of ours.
func TestCallTreeIsHarmless(t *testing.T) {
	tree := &collector.CallTree{Label: "call_record", Fields: []cdr.Attr{
		cdr.Text("name", "a\x1b[2Jb\u202ec\nd\u009be\xff", cdr.Plain), cdr.Texts("more", []string{"f\tg"}, cdr.Plain),
	}}
	const want = "call_record  name: a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFDe\uFFFD  more: f\uFFFDg\n"
	if got := printedCall(t, tree, "tree", keepAll); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCallErrors(t *testing.T) {
	trouble := errors.New("403")
	for name, test := range map[string]struct {
		source *collector.Source
		want   []string
	}{
		"too young": {
			looking(nil, fmt.Errorf("%w: 404", collector.ErrNotYet)),
			[]string{"too new", "30 days", someCall},
		},
		"too old": {
			looking(nil, fmt.Errorf("%w: 410", collector.ErrGone)),
			[]string{"too new", "30 days", someCall},
		},
		"trouble": {looking(nil, trouble), []string{"it failed: 403; mend it", someCall}},
		"no way":  {&collector.Source{}, []string{"--source", "contoso", "msgraph", "records"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			k := &call{source: "contoso", id: someCall, output: "tree"}
			err := k.print(t.Context(), test.source, cdr.NewRedactor(keepAll, nil), &out)
			if err == nil || out.Len() != 0 {
				t.Fatalf("got %v, printed %q", err, out.String())
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}
