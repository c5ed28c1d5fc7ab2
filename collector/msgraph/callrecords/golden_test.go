package callrecords

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func newTestMapper() *mapper {
	return &mapper{
		countries: cdr.NewCountries(),
		emergency: cdr.NewEmergencyNumbers([]string{"911", "933", "112", "999"}),
	}
}

// readCall decodes a call record.
func readCall(t testing.TB, text string) *callRecord {
	t.Helper()
	var c callRecord
	require.NoError(t, json.Unmarshal([]byte(text), &c))
	return &c
}

// readAll decodes all of a call record.
func readAll(t testing.TB, text string) document {
	t.Helper()
	var all document
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	return all
}

// mapCall maps a call record, settled.
func mapCall(t testing.TB, text string) (*cdr.Record, []collector.Unmapped) {
	t.Helper()
	m := newTestMapper()
	r := m.mapRecord(readCall(t, text), true)
	return r, m.unmapped
}

type row = providertest.Row

func rowOf(r *cdr.Record) row { return providertest.RowOf(r, "cdr.msgraph.") }

// sessionRow and streamRow show a session and a stream.
func sessionRow(s *cdr.Session) row {
	out := rowOf(&cdr.Record{
		ID: s.ID, Start: s.Start, End: s.End, UserID: s.UserID, UserName: s.UserName, UserPrincipal: s.UserPrincipal,
		CalleeNumber: s.Number, Extra: s.Extra, Direction: s.Direction, Reason: s.Reason,
	})
	delete(out, "Duration")
	delete(out, "Outcome")
	out["Result"], out["Media"] = s.Result.String(), s.Media
	if s.Stage != "" {
		out["Stage"] = s.Stage
	}
	return out
}

func streamRow(s *cdr.Stream) string {
	text := fmt.Sprintf("%s %s %s %s %s", s.Media, s.Direction(), s.Network, s.Platform, s.Verdict())
	for _, m := range []struct {
		name  string
		value any
		known bool
	}{
		{"jitter", s.Jitter.Value, s.Jitter.Known},
		{"round trip", s.RoundTrip.Value, s.RoundTrip.Known},
		{"loss", s.Loss.Value, s.Loss.Known},
		{"concealed", s.Concealed.Value, s.Concealed.Known},
		{"packets", s.Packets.Value, s.Packets.Known},
		{"frame loss", s.VideoFrameLoss.Value, s.VideoFrameLoss.Known},
		{"corrected loss", s.VideoLoss.Value, s.VideoLoss.Known},
		{"frame rate", s.FrameRate.Value, s.FrameRate.Known},
	} {
		if m.known {
			text += fmt.Sprintf(", %s %v", m.name, m.value)
		}
	}
	return text
}

// wholeRow is a record with its sessions, streams and ratings.
func wholeRow(r *cdr.Record) row {
	out := rowOf(r)
	var sessions []row
	var streams []string
	for i := range r.Sessions {
		sessions = append(sessions, sessionRow(&r.Sessions[i]))
	}
	for i := range r.Streams {
		streams = append(streams, streamRow(&r.Streams[i]))
	}
	out["Version"], out["Sessions"], out["Streams"], out["Ratings"] = r.Version, sessions, streams, r.Ratings
	return out
}

// treeText is a tree as text, with the class of what is personal.
func treeText(t *collector.CallTree, indent string) string {
	text := indent + t.Label + "\n"
	for _, f := range t.Fields {
		value := f.Str
		switch f.Type {
		case cdr.IntAttr, cdr.BoolAttr:
			value = fmt.Sprint(f.Int)
		case cdr.StringsAttr:
			value = strings.Join(f.Strs, ", ")
		case cdr.StringAttr:
		}
		text += indent + "  " + f.Key + ": " + value + [...]string{
			"", " (number)", " (user)", " (address)",
			"",
		}[f.Privacy] + "\n"
	}
	for _, child := range t.Children {
		text += treeText(child, indent+"    ")
	}
	return text
}

// TestGoldenCallRecords maps sample records, which have the shape of Microsoft's own, and
// shows them as trees.
func TestGoldenCallRecords(t *testing.T) {
	for _, name := range []string{"phone", "meeting"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/call_record_" + name + ".json")
			require.NoError(t, err)
			r, unmapped := mapCall(t, string(text))
			if len(unmapped) > 0 {
				t.Errorf("unmapped: %v", unmapped)
			}
			golden.JSON(t, "testdata/call_record_"+name+".record.json", wholeRow(r))
			tree := newTestMapper().tree(readCall(t, string(text)), text)
			golden.File(t, "testdata/call_record_"+name+".tree.txt", []byte(treeText(tree, "")))
		})
	}
}
