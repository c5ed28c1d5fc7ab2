package simulator

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Options are the last column of a kind's row: words, or pairs of a name and a value.
type Options map[string]string

// Take returns an option's value, and whether the row has the option, which is then known.
func (o Options) Take(name string) (value string, ok bool) {
	value, ok = o[name]
	delete(o, name)
	return value, ok
}

// Number takes an option that is a number; without it 0.
func (o Options) Number(name string) int {
	if text, ok := o.Take(name); ok {
		return int(numberOf(text))
	}
	return 0
}

// ReadMix makes a mix of a table. Columns are separated by two spaces or more, "-" is empty, and what has spaces at its ends is quoted. Each row
// begins with what it is:
//
//	own        digits  random  country  place
//	prefix     weight  digits  random  country  place
//	trunk      weight  wire  name  options: family=N bypass=B media=L signaling=L
//	tariff     weight  currency  per_minute  connection
//	recording  weight  wire  type
//	all        options of all kinds that follow
//	kind       weight  wire  call_type  direction  outcome  phrase  options
//	incident   (as kind)
//
// A kind without weight isn't drawn: others refer to it by its option as=NAME. Complete adds what only the provider knows of a kind; it takes its
// options, since one that nobody takes panics, as everything does that isn't understood.
func ReadMix(table string, complete func(*Kind, Options)) *Mix {
	usual := &Mix{Components: [2]string{"usage", "connection"}, MoneyUnit: 100, Mask: '*'}
	r := mixReader{mix: usual, complete: complete, named: map[string]*Kind{}}
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			r.fields = columns.Split(line, -1)
			r.row()
		}
	}
	return r.mix
}

var columns = regexp.MustCompile(`  +`)

// mixReader reads a row after the other; fields are what is left of the present one.
type mixReader struct {
	mix      *Mix
	complete func(*Kind, Options)
	all      Options
	named    map[string]*Kind
	fields   []string
}

func (r *mixReader) text() string {
	if len(r.fields) == 0 {
		return ""
	}
	text := r.fields[0]
	r.fields = r.fields[1:]
	if quoted, err := strconv.Unquote(text); err == nil {
		return quoted
	}
	if text == "-" {
		return ""
	}
	return text
}

func (r *mixReader) number() int { return int(numberOf(r.text())) }

func (r *mixReader) options() Options {
	o := maps.Clone(r.all)
	if o == nil {
		o = Options{}
	}
	for _, field := range r.fields {
		name, value, _ := strings.Cut(field, "=")
		o[name] = value
	}
	return o
}

func numberOf(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("simulated mix: %v", err))
	}
	return n
}

func (r *mixReader) row() {
	m := r.mix
	switch what := r.text(); what {
	case "own":
		m.Own = Prefix{Digits: r.text(), Random: r.number(), Country: r.text(), Place: r.text()}
	case "prefix":
		m.Prefixes = append(m.Prefixes, Prefix{Weight: Weight(r.number()), Digits: r.text(), Random: r.number(), Country: r.text(), Place: r.text()})
	case "trunk":
		t := Trunk{Weight: Weight(r.number()), Wire: r.text(), Name: r.text()}
		o := r.options()
		t.Bypass = map[string]cdr.Bool{"": cdr.Unsaid, "true": cdr.True, "false": cdr.False}[o["bypass"]]
		t.Media, t.Signaling, t.Family = o["media"], o["signaling"], o.Number("family")
		m.Trunks = append(m.Trunks, t)
	case "tariff":
		m.Tariffs = append(m.Tariffs, Tariff{
			Weight: Weight(r.number()), Currency: r.text(), PerMinute: Amount(r.number()), Connection: Amount(r.number()),
		})
	case "recording":
		m.Recordings = append(m.Recordings, Recording{Weight: Weight(r.number()), Wire: r.text(), Type: r.text()})
	case "all":
		r.all = nil
		r.all = r.options()
	case "kind", "incident":
		if k := r.kind(); k.Weight > 0 && what == "kind" {
			m.Kinds = append(m.Kinds, k)
		} else if k.Weight > 0 {
			m.Incident = append(m.Incident, k)
		}
	default:
		panic("simulated mix: row of an unknown sort: " + what)
	}
}

func (r *mixReader) kind() Kind {
	k := Kind{Weight: Weight(r.number()), Wire: r.text(), CallType: r.text()}
	k.Direction = oneOf(r.text(), cdr.DirectionUnknown, cdr.Inbound, cdr.Outbound, cdr.Internal)
	k.Outcome = oneOf(r.text(), cdr.Outcomes()...)
	k.Phrase = r.text()
	o := r.options()
	for name, flag := range map[string]*bool{
		"no_user": &k.NoUser, "no_media": &k.NoMedia, "no_invite": &k.NoInvite, "instant": &k.Instant, "free": &k.Free, "priced": &k.Priced,
		"shares_call": &k.SharesCall, "unfinished": &k.Unfinished, "own_call": &k.OwnCall,
	} {
		_, *flag = o.Take(name)
	}
	for option, kind := range map[string]**Kind{"becomes": &k.Becomes, "plain": &k.Plain, "second": &k.Second} {
		if name, ok := o.Take(option); ok {
			if *kind = r.named[name]; *kind == nil {
				panic("simulated mix: no kind has the name " + name)
			}
		}
	}
	k.readOptions(o)
	r.complete(&k, o)
	if name, ok := o.Take("as"); ok {
		named := k
		r.named[name] = &named
	}
	if len(o) > 0 {
		panic(fmt.Sprintf("simulated mix: unknown options %v", o))
	}
	return k
}

// readOptions reads those that have values.
func (k *Kind) readOptions(o Options) {
	k.Family, k.Ring = o.Number("family"), time.Duration(o.Number("ring"))*time.Second
	if text, ok := o.Take("codes"); ok {
		sip, sub, _ := strings.Cut(text, "/")
		k.SIPCode, k.SubCode = cdr.KnownInt(numberOf(sip)), cdr.KnownInt(numberOf(sub))
	}
	if text, ok := o.Take("party"); ok {
		k.Party = Party(text)
	}
	if text, ok := o.Take("emergency"); ok {
		k.Party, k.Emergency = Party(text), cdr.EmergencyReal
		if k.Party == Dial933 {
			k.Emergency = cdr.EmergencyTest
		}
	}
}

func oneOf[T fmt.Stringer](text string, values ...T) T {
	for _, v := range values {
		if v.String() == text {
			return v
		}
	}
	panic(fmt.Sprintf("simulated mix: %q is none of %v", text, values))
}
