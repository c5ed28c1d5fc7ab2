package openmetrics

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// setOf is a series of a metric; labels that aren't given are empty.
func setOf(d *metrics.Def, values ...string) *metrics.LabelSet {
	return &metrics.LabelSet{Def: d, Values: append(values, make([]string, len(d.LabelNames())-len(values))...)}
}

// TestWriter: counters and histograms as the format has them, with times to the
// millisecond, text that is escaped, and the labels of all series.
func TestWriter(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, []Label{{"job", `his"tory`}})
	w.Family(metrics.Calls)
	w.Series(setOf(metrics.Calls, "acme", "wavix", "call_log", "inbound", "", "answered", "a\\b\n\xff", "false"))
	w.Value(noon, 0)
	w.Value(noon.Add(1500*time.Millisecond), 12345678)
	w.Series(setOf(metrics.Calls, "acme", "wavix", "call_log", "outbound"))
	w.Value(noon.Add(7*time.Millisecond), 1)
	w.Family(metrics.CallCharges)
	w.Series(setOf(metrics.CallCharges, "acme"))
	w.Value(noon, 0.1+0.2)
	w.Value(noon, 1e21)
	w.Family(metrics.CallSetup)
	w.Series(setOf(metrics.CallSetup, "acme", "wavix", "call_log", "inbound"))
	w.Histogram(noon, &metrics.HistValue{Buckets: make([]uint64, 12)})
	w.Histogram(noon.Add(time.Minute), &metrics.HistValue{
		Count: 6, Sum: 12.25e6,
		Buckets: []uint64{1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2},
	})
	require.NoError(t, w.Close())
	if w.Samples() != 5+2*14 {
		t.Errorf("%d samples", w.Samples())
	}
	golden.File(t, "testdata/writer.golden", b.Bytes())
}

// broken accepts this many bytes.
type broken int

var errBroken = errors.New("no room")

// Write implements io.Writer.
func (b *broken) Write(p []byte) (int, error) {
	if *b -= broken(len(p)); *b < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// TestWriteFails: the first error is Close's.
func TestWriteFails(t *testing.T) {
	room := broken(100_000)
	w := NewWriter(&room, nil)
	w.Family(metrics.Calls)
	w.Series(setOf(metrics.Calls, "acme"))
	for range 10_000 {
		w.Value(noon, 1)
	}
	if err := w.Close(); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

// TestLabels: labels for all series, and the errors for invalid ones.
func TestLabels(t *testing.T) {
	for text, want := range map[string]string{
		"job=cdr history":   "",
		"_a1=b=c":           "",
		"job":               "NAME=VALUE",
		"job=":              "NAME=VALUE",
		"=x":                "NAME=VALUE",
		"1a=x":              "NAME=VALUE",
		"a-b=x":             "NAME=VALUE",
		"a=\xff":            "NAME=VALUE",
		"source=x":          "have a label with that name",
		"trunk=x":           "have a label with that name",
		"le=x":              "have a label with that name",
		"media_direction=x": "have a label with that name",
		"department=x":      "have a label with that name",
		"__name__=x":        "reserves names",
	} {
		_, err := ParseLabels([]string{"instance=a", text}, "department")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseLabels([]string{"a=x", "a=y"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("twice: %v", err)
	}
}

// FuzzEscape: any label value stays within its quotes and is read back unchanged, if it is UTF-8.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "plain", `a"b\c`, "line\nline", "\xff\xfe", `\`, `\n`, "ü✓"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		written := escape(text)
		if strings.Contains(written, "\n") || !utf8.ValidString(written) {
			t.Fatalf("%q is written %q", text, written)
		}
		var read strings.Builder
		for rest := written; rest != ""; {
			switch {
			case strings.HasPrefix(rest, `\\`):
				read.WriteByte('\\')
			case strings.HasPrefix(rest, `\n`):
				read.WriteByte('\n')
			case strings.HasPrefix(rest, `\"`):
				read.WriteByte('"')
			case rest[0] == '"' || rest[0] == '\\':
				t.Fatalf("%q is written %q", text, written)
			default:
				read.WriteByte(rest[0])
				rest = rest[1:]
				continue
			}
			rest = rest[2:]
		}
		if want := strings.ToValidUTF8(text, "\uFFFD"); read.String() != want {
			t.Errorf("%q comes back as %q", want, read.String())
		}
	})
}

// FuzzParseLabels: what is taken can be written.
func FuzzParseLabels(f *testing.F) {
	for _, seed := range []string{"job=x", "a", "=", "a=b=c", "\xff=x", "a\n=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := ParseLabels([]string{text})
		if err != nil {
			return
		}
		if l := labels[0]; l.Name == "" || l.Value == "" || l.Name+"="+l.Value != text {
			t.Errorf("%q is read as %q", text, l)
		}
	})
}
