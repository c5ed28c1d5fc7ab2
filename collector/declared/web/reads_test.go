package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// What a case of testdata/reads has:
//
//	request: {path: /calls}       lines of the feed; it is read from /calls by start if they don't say else
//	WAS => IS                     a change of the file's definition
//	< {"rows":ROWS(1,2)}          the provider's next answer, with rows of one and two minutes before noon;
//	                              the last one is repeated
//	< [Header: value] !404 text   one with a header, or another status
//	< /path {"n":1}               the answers for a path, from here on
//	<| a,b\nc,d                   one in which \n is the end of a line
//	read, read 5m, read day       read the last hour, five minutes, or yesterday
//	read days                     read the last 48 hours
//	probe, calls                  what `check sources` does; the calls in progress
func playReads(t *testing.T, file, name string) {
	t.Helper()
	golden.Cases(t, "testdata/reads/"+file+".txt", func(t *testing.T, c *golden.Case) {
		synctest.Test(t, func(t *testing.T) { play(t, name, c) })
	})
}

func TestNextPage(t *testing.T)     { playReads(t, "next", "") }
func TestMisspeltNext(t *testing.T) { playReads(t, "misspelt", "") }
func TestReadRows(t *testing.T)     { playReads(t, "rows", "") }
func TestRequests(t *testing.T)     { playReads(t, "requests", "") }
func TestFor(t *testing.T)          { playReads(t, "for", "") }
func TestProbe(t *testing.T)        { playReads(t, "probe", "") }
func TestErrors(t *testing.T)       { playReads(t, "errors", "refusing") }
func TestSnapshot(t *testing.T)     { playReads(t, "snapshot", "snapshot") }

// TestRowsAndTotals (counting.md 13, 18): a read with fewer distinct rows than the total isn't complete.
func TestRowsAndTotals(t *testing.T) { playReads(t, "totals", "") }

// definition is one of ../testdata/definitions.
func definition(t *testing.T, name string) string {
	t.Helper()
	return golden.Read(t, "../testdata/definitions/"+name+".yaml")
}

// provider answers in the words of a case.
type provider struct {
	declaredtest.API

	paths map[string]string
	next  []string
}

func (p *provider) answer(r *http.Request) (string, http.Header) {
	text, is := p.paths[r.URL.Path]
	if !is && len(p.next) > 0 {
		if text = p.next[0]; len(p.next) > 1 {
			p.next = p.next[1:]
		}
	}
	if len(p.Asked) > 50 {
		text = "!410"
	}
	header := http.Header{}
	if rest, is := strings.CutPrefix(text, "["); is && strings.Contains(rest, "] ") && !strings.HasPrefix(rest, "{") {
		name, rest, _ := strings.Cut(rest, ": ")
		value, body, _ := strings.Cut(rest, "] ")
		header.Set(name, value)
		text = body
	}
	return text, header
}

// add takes a line with an answer.
func (p *provider) add(line string) {
	if text, is := strings.CutPrefix(line, "<|"); is {
		quoted := strings.ReplaceAll(strings.TrimPrefix(text, " "), `"`, `\"`)
		text, _ = strconv.Unquote(`"` + quoted + `"`)
		p.next = append(p.next, text)
		return
	}
	line = strings.TrimPrefix(strings.TrimPrefix(line, "<"), " ")
	for {
		before, rest, is := strings.Cut(line, "ROWS(")
		if !is {
			break
		}
		list, rest, _ := strings.Cut(rest, ")")
		var minutes []int
		for text := range strings.SplitSeq(list, ",") {
			one, times, _ := strings.Cut(text, "*")
			n, _ := strconv.Atoi(one)
			for again, _ := strconv.Atoi(times); again >= 0; again-- {
				if minutes = append(minutes, n); again == 1 {
					break
				}
			}
		}
		line = before + declaredtest.Rows(minutes...) + rest
	}
	if path, body, is := strings.Cut(line, " "); is && strings.HasPrefix(path, "/") {
		p.paths[path] = body
	} else {
		p.next = append(p.next, line)
	}
}

func play(t *testing.T, name string, c *golden.Case) {
	t.Helper()
	var feed, changes []string
	steps := len(c.Lines)
	for i, line := range c.Lines {
		if line == "" || line[0] == '<' {
			steps = i
			break
		}
		if was, is, change := strings.Cut(line, " =>"); change {
			lines := strings.NewReplacer(`\n`, "\n")
			changes = append(changes, lines.Replace(was), strings.TrimPrefix(lines.Replace(is), " "))
		} else {
			feed = append(feed, line)
		}
	}
	text := "    " + strings.Join(feed, "\n    ") + "\n"
	for _, standard := range []string{"request: {path: /calls}", "filter: {by: start}"} {
		if key, _, _ := strings.Cut(standard, ":"); !strings.Contains(text, " "+key+": ") {
			text += "    " + standard + "\n"
		}
	}
	p := &provider{paths: map[string]string{}}
	p.Answer = p.answer
	if strings.Contains(text, "POST") {
		p.Secret = `cl"1ent`
	}
	info, last, played := p.Open(t, "", text), steps, false
	if name != "" {
		block := map[bool]string{true: "active_calls: {}", false: "calls: "}[name == "snapshot"]
		info = p.OpenText(t, strings.NewReplacer(changes...).Replace(definition(t, name)), block)
	}
	defer func() { p.Source.Close() }()
	do := func(i int, command string) {
		p.Asked, p.Bodies, played = nil, nil, true
		p.Log.Reset()
		var said []string
		var err error
		switch command {
		case "probe":
			var n int
			n, err = info.Probe(t.Context())
			said = append(said, fmt.Sprint(n, " rows"))
		case "calls":
			got, failed := info.ActiveCalls(t.Context(), false)
			err = failed
			said = append(said, fmt.Sprintf("inbound %d, outbound %d, unknown %d", got[cdr.Inbound], got[cdr.Outbound],
				got[cdr.DirectionUnknown]))
		default:
			from, to := declaredtest.Noon.Add(-time.Hour), declaredtest.Noon
			switch long := strings.TrimPrefix(strings.TrimPrefix(command, "read"), " "); long {
			case "":
			case "day":
				from, to = declaredtest.Yesterday, declaredtest.Yesterday.Add(24*time.Hour)
			case "days":
				from = to.Add(-48 * time.Hour)
			default:
				d, failed := time.ParseDuration(long)
				if failed != nil {
					t.Fatal(failed)
				}
				from = to.Add(-d)
			}
			ids, totals, failed := declaredtest.ReadIDs(t, info, from, to)
			err = failed
			for i := range ids {
				ids[i] = cmp.Or(ids[i], "-")
			}
			said = append(said, "rows "+strings.Join(ids, " "))
			for _, total := range totals {
				line := fmt.Sprintf("%s: ours %d, theirs %d", total.Day.Format(time.DateOnly), total.Ours, total.Theirs)
				if total.Charges != nil {
					line += " " + total.Charges.String() + " " + total.Currency
				}
				said = append(said, line)
			}
		}
		said = append(said, "asked "+strings.Join(p.Asked, ", "))
		for _, body := range p.Bodies {
			said = append(said, "sent "+body)
		}
		if err != nil {
			what, todo := p.Source.Advise(err)
			said = append(said, "error "+err.Error(), "advice "+what+"; "+todo)
			if text := fmt.Sprintf("%v %+v %s %s", err, err, what, todo); strings.Contains(text, "1ent") ||
				strings.Contains(text, "0ld") || strings.Contains(text, "4930901820") {
				t.Errorf("it says %s", text)
			}
		}
		log := p.Log.String()
		if strings.Contains(log, "1ent") || strings.Contains(log, "0ld") {
			t.Errorf("the log has a secret: %s", log)
		}
		if _, warning, is := strings.Cut(log, "level=WARN "); is {
			said = append(said, strings.TrimSpace(warning))
		}
		c.Say(i, strings.Join(said, "\n"))
	}
	for i := steps; i < len(c.Lines); i++ {
		switch line := c.Lines[i]; {
		case line == "":
			continue
		case line[0] == '<':
			if played && len(p.next) == 1 {
				p.next = nil // the answer that was repeated
			}
			p.add(line)
		default:
			do(i, line)
		}
		last = i
	}
	if !played {
		do(last, "read")
	}
}
