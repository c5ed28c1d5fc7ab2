package declared_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestExtends: what a file that amends a built-in definition says holds, and all else is as there.
func TestExtends(t *testing.T) {
	const feed = "extends: asterisk\nfeeds:\n  cdr:\n"
	builtin, err := declared.BuiltinText("asterisk")
	require.NoError(t, err)
	was, err := declared.Load("asterisk.yaml", builtin)
	require.NoError(t, err)
	for _, c := range []struct {
		name, text string
		holds      func(d *declared.Definition) bool
	}{
		{"its name", feed, func(d *declared.Definition) bool { return d.Provider == "asterisk" && d.Replaces }},
		{
			"another name", "provider: mine\n" + feed,
			func(d *declared.Definition) bool { return d.Provider == "mine" && !d.Replaces },
		},
		{"its other feed", feed, func(d *declared.Definition) bool {
			queue := d.Feeds["queue_log"]
			return queue.Record.QueueResult.IsSet()
		}},
		{
			"a feed that is taken away", "extends: asterisk\nfeeds: {queue_log: }\n",
			func(d *declared.Definition) bool { return len(d.Feeds) == 1 },
		},
		{
			"a further feed", strings.Replace(feed, "cdr:",
				"more: {files: {read: lines, format: jsonl}, record: {start: {path: s, time: unix}, outcome: "+
					"{is: busy}}}", 1),
			func(d *declared.Definition) bool { return len(d.Feeds) == 3 },
		},
		{"a default", feed + "    defaults: {settle: 6m}\n", func(d *declared.Definition) bool {
			is, was := d.Feeds["cdr"].Defaults, was.Feeds["cdr"].Defaults
			return is.Settle == 6*time.Minute && is.Interval == was.Interval && is.Lookback == was.Lookback
		}},
		{
			"a default of a parameter", "parameters: {trunks: {default: [SIP/a]}}\n" + feed,
			func(d *declared.Definition) bool {
				p := d.Parameters["trunks"]
				return slices.Equal(p.Default, []string{"SIP/a"}) && p.List && p.Ask == was.Parameters["trunks"].Ask
			},
		},
		{
			"a further parameter", "parameters: {site: {default: x}}\n" + feed,
			func(d *declared.Definition) bool { return len(d.Parameters) == len(was.Parameters)+1 },
		},
		{"a list", "files: {columns: [a, b], widths: [2]}\n" + feed, func(d *declared.Definition) bool {
			return slices.Equal(d.Files.Columns, []string{"a", "b"}) && d.Files.Format == was.Files.Format
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := declared.Load("mine.yaml", []byte(c.text))
			if err != nil || !c.holds(d) {
				t.Errorf("%v, %+v", err, d)
			}
		})
	}
	t.Run("another version of the program has another definition", func(t *testing.T) {
		d, err := declared.Load("mine.yaml", []byte(feed))
		require.NoError(t, err)
		base, err := declared.BuiltinText("asterisk")
		require.NoError(t, err)
		block, is := declared.NewProvider(d).NewConfig().(*declared.Block)
		if !is || !strings.Contains(block.Text, string(base)) || !strings.Contains(block.Text, feed) {
			t.Error("its text lacks the built-in definition, so rows that an upgrade mends aren't read again")
		}
	})
	t.Run("fields", func(t *testing.T) {
		text := feed + "    record:\n      trunk: {path: userfield, match: '^trunk=(.+)$'}\n      party:\n    " +
			"  labels: {department: accountcode}\n"
		d, err := declared.Load("mine.yaml", []byte(text))
		require.NoError(t, err)
		cdrs := d.Feeds["cdr"]
		m := declared.NewMapper(&cdrs, declared.MapperSettings{Parameters: map[string][]string{"trunks": {"SIP/a"}}})
		r := m.MapFields(
			[]string{"accountcode", "channel", "lastapp", "start", "disposition", "userfield", "linkedid"},
			[]string{"sales", "SIP/a-1", "VoiceMail", "2026-11-23 10:00:00", "BUSY", "trunk=fra", "7"},
		).Record
		if r == nil || r.Trunk != "fra" || r.Party != cdr.Person || r.Direction != cdr.Inbound || r.CallKey != "7" ||
			r.Outcome != cdr.Busy ||
			len(r.ProviderLabels) != 1 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestExtendsProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"no such definition", "provider: mine\nextends: astrisk\n",
			"mine.yaml:2: extends: must be a built-in definition: unknown definition; the built-in ones are asterisk",
		},
		{"one in Go", "extends: msgraph\n", "mine.yaml:1: extends: must be a built-in definition"},
		{
			"what is wrong here", "extends: asterisk\nfeeds:\n  cdr:\n    ignore: 'x =='\n",
			"mine.yaml:4: feeds.cdr.ignore: isn't a valid expression",
		},
		{
			"what is wrong there because of this", "extends: asterisk\nparameters:\n  trunks:\n",
			"mine.yaml:1: feeds.cdr.record.direction: names the parameter trunks",
		},
		{"an unknown key", "extends: asterisk\nfeed: {}\n", "mine.yaml:2: feed: unknown key"},
		{"a key twice", "extends: asterisk\ntitle: A\ntitle: B\n", "mine.yaml:3: title: is repeated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := declared.Load("mine.yaml", []byte(c.text)); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
