package files_test

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestMendedDefinition: rows that a definition can't read are counted once it can. Rows in front of
// them aren't read again, since what identifies them may have changed as well.
func TestMendedDefinition(t *testing.T) {
	const (
		bad     = "2026-11-23 10:00:01,busy,"
		grows   = "read: lines, format: csv, columns: [start, state, trunk]"
		whole   = "read: whole, format: csv, columns: [start, state, trunk]"
		badTime = "2026-11-23 10:00:01"
		badJSON = `{"start":"2026-11-23 10:00:01","state":"busy","trunk":"a"}`
	)
	many, names := lines(0, 2500)
	many = strings.ReplaceAll(many, "1795428001,busy,", bad)
	for _, c := range []struct {
		name, files   string
		before, after func(r *reading) // the definition is mended
		wrong, right  []string
	}{
		{"no row could be read", grows, func(r *reading) {
			r.add("calls.csv", bad+"a\n"+bad+"b\n")
		}, nil, nil, []string{"a", "b"}},
		{"a new form, pages of it, and a kill behind the first one", grows, func(r *reading) {
			r.add("calls.csv", line("a")+many)
		}, func(r *reading) {
			r.crashAfter = 1
			r.poll()
			r.crashAfter = 0
		}, []string{"a"}, append([]string{"a"}, names...)},
		{"a row that still can't be read", grows, func(r *reading) {
			r.add("calls.csv", line("a")+bad+"b\n?,busy,c\n")
		}, nil, []string{"a"}, []string{"a", "b"}},
		{"other names behind rows that can't be read", "read: lines, format: csv", func(r *reading) {
			r.add("calls.csv", "start,state,trunk\n"+line("a")+bad+"b\ntrunk,start,state\nc,2026-11-23 10:00:01,busy\n")
		}, nil, []string{"a"}, []string{"a", "b", "c"}},
		{"a copy that isn't complete yet", grows, func(r *reading) {
			r.add("calls.csv", line("a")+bad+"b\n"+bad+"c\n")
			r.rest()
			r.poll()
			r.add("calls.csv.1", line("a")+bad+"b\n")
			r.rest()
			r.poll()
			r.must(os.Remove(r.path("calls.csv")))
			r.rest()
			r.poll()
			r.add("calls.csv.1", bad+"c\n")
		}, nil, []string{"a"}, []string{"a", "b", "c"}},
		{"a row between others stays set aside", grows, func(r *reading) {
			r.add("calls.csv", bad+"a\n"+line("b"))
		}, nil, []string{"b"}, []string{"b"}},
		{"it grows and is rotated meanwhile", grows, func(r *reading) {
			r.add("calls.csv", line("a")+bad+"b\n")
			r.poll()
			r.add("calls.csv", bad+"c\n")
			r.poll()
			r.must(os.Rename(r.path("calls.csv"), r.path("calls.csv.1")))
			r.add("calls.csv", bad+"d\n")
		}, nil, []string{"a"}, []string{"a", "b", "c", "d"}},
		{"copied and truncated", grows, func(r *reading) {
			r.add("calls.csv", line("a")+bad+"b\n")
			r.poll()
			text, err := os.ReadFile(r.path("calls.csv"))
			r.must(err)
			r.put("calls.csv.1", string(text))
			r.put("calls.csv", "")
			r.poll()
			r.add("calls.csv", line("c"))
		}, nil, []string{"a", "c"}, []string{"a", "b", "c"}},
		{"a copy beside it", grows, func(r *reading) {
			r.add("calls.csv", line("a")+bad+"b\n")
			r.rest()
			r.poll()
			r.add("calls.csv.1", line("a")+bad+"b\n")
			if r.poll(); len(r.invalid) != 1 {
				r.t.Errorf("set aside: %q", r.invalid)
			}
		}, nil, []string{"a"}, []string{"a", "b"}},
		{"compressed", grows, func(r *reading) {
			r.put("calls.csv.1.gz", zip(line("a")+bad+"b\n"))
		}, nil, []string{"a"}, []string{"a", "b"}},
		{"whole files", whole, func(r *reading) {
			r.add("calls.csv.1", bad+"a\n")
			r.add("calls.csv.2", line("b")+bad+"c\n")
			r.add("calls.csv.3", line("d"))
		}, func(r *reading) {
			r.add("calls.csv.1", line("e"))
		}, []string{"b", "d"}, []string{"a", "b", "c", "d", "e"}},
		{"documents", "read: whole, format: json", func(r *reading) {
			r.add("calls.csv.1", badJSON)
			r.add("calls.csv.2", strings.ReplaceAll(document, "%s", "b")+strings.ReplaceAll(badJSON, `"a"`, `"c"`))
			r.add("calls.csv.3", strings.ReplaceAll(badJSON, `"a"`, `"d"`)+ // stays
				strings.ReplaceAll(document, "%s", "e"))
		}, nil, []string{"b", "e"}, []string{"a", "b", "c", "e"}},
		{"documents that grew", "read: whole, format: json", func(r *reading) {
			r.add("calls.csv.1", badJSON)
			r.add("calls.csv.2", strings.ReplaceAll(document, "%s", "b"))
			r.rest()
			r.poll()
			r.add("calls.csv.1", strings.ReplaceAll(badJSON, `"a"`, `"c"`))
			r.add("calls.csv.2", strings.ReplaceAll(badJSON, `"a"`, `"d"`))
		}, nil, []string{"b"}, []string{"a", "b", "c", "d"}},
		{"elements", "read: whole, format: xml", func(r *reading) {
			r.add("calls.csv.1", "<r>"+cdrElement("10", "a")+cdrElement(badTime, "b")+cdrElement(badTime, "c")+"</r>")
			r.add("calls.csv.2", "<r>"+cdrElement(badTime, "d")+"</r>")
		}, nil, []string{"a"}, []string{"a", "b", "c", "d"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			const block = "calls: {}, paths: ['calls.csv*']"
			wrong := filesDefinition(c.files)
			if strings.Contains(c.files, "xml") {
				wrong = strings.Replace(wrong, "    record:", "    rows: cdr\n    record:", 1)
			}
			r := read(t, wrong, block)
			c.before(r)
			for range 2 { // the program stops, and starts again on another day
				r.pass(25 * time.Hour)
				r.poll()
				r.is(c.wrong...)
				r.open(wrong, block)
			}
			r.forget()
			r.open(strings.Replace(wrong, "time: unix", `time: [unix, "2006-01-02 15:04:05"], zone: UTC`, 1), block)
			if c.after != nil {
				c.after(r)
			}
			invalid := 0
			for i := range 3 {
				r.now = r.now.Add(2 * time.Hour)
				r.poll()
				r.is(c.right...)
				if bad := len(r.invalid); i == 0 {
					invalid = bad
				} else if bad != invalid {
					t.Errorf("%d rows were set aside once more", bad-invalid)
				}
			}
			if len(r.troubles) > 0 {
				t.Error(r.troubles)
			}
		})
	}
}

func cdrElement(start, trunk string) string {
	return "<cdr><start>" + start + "</start><state>busy</state><trunk>" + trunk + "</trunk></cdr>"
}

// TestOtherIdentity: once id, start or the columns of a definition say something else, no row in front of the change
// is read again for an audit, since it would count once more.
func TestOtherIdentity(t *testing.T) {
	for _, c := range []struct {
		name, files, from, to string
		again                 int // rows that a span has when it is read again
	}{
		{"nothing", csvLines, "trunk: trunk", "trunk: trunk", 1},
		{"another trunk", csvLines, "trunk: trunk", "trunk: state", 1},
		{"an id", csvLines, "trunk: trunk", "trunk: trunk\n      id: trunk", 0},
		{"a start", csvLines, "{path: start, time: unix}", "{path: start, time: [unix, rfc3339]}", 0},
		{"columns", csvLines, "[start, state, trunk]", "[start, state, trunk, more]", 0},
		{
			"whole files", "read: whole, format: csv, columns: [start, state, trunk]", "trunk: trunk",
			"trunk: trunk\n      id: trunk", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			const block = "calls: {}, paths: ['calls.csv*']"
			was := filesDefinition(c.files)
			is := strings.Replace(was, c.from, c.to, 1)
			r := read(t, was, block)
			r.now = time.Unix(1795428001, 0).Add(time.Hour)
			r.add("calls.csv", line("a"))
			r.rest()
			r.poll()
			for range 2 { // the program starts again
				r.open(is, block)
				r.poll()
				again := 0
				for page, err := range r.info.Reader.Pages(t.Context(), time.Unix(0, 0), r.now) {
					r.must(err)
					again += len(page.Records)
				}
				if again != c.again {
					t.Errorf("%d rows are read again, want %d", again, c.again)
				}
			}
		})
	}
}

// TestMendedSource: the source's columns and time zone belong to how a row is read.
func TestMendedSource(t *testing.T) {
	zoned := strings.Replace(filesDefinition("read: lines, format: csv, columns: [start, state, trunk]"), "time: unix",
		`time: "2006-01-02 15:04:05 MST"`, 1)
	for _, c := range []struct{ name, definition, row, wrong, right string }{
		{
			"columns", filesDefinition("read: lines, format: csv, columns: [trunk, state, start]"), line("a"),
			"calls: {}, paths: [calls.csv]", "calls: {}, paths: [calls.csv], columns: [start, state, trunk]",
		},
		{
			"the zone that explains CET", zoned, "2026-11-23 10:00:01 CET,busy,a\n",
			"calls: {}, paths: [calls.csv], time_zone: America/New_York",
			"calls: {}, paths: [calls.csv], time_zone: Europe/Berlin",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, c.wrong)
			r.add("calls.csv", c.row)
			r.poll()
			r.is()
			r.open(c.definition, c.right)
			r.poll()
			r.is("a")
		})
	}
}
