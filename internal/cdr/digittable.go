package cdr

import (
	"cmp"
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// digitTable matches digits with several regular expressions at once: each digit is one look-up,
// while a regular expression takes a microsecond a number. It is a deterministic automaton.
type digitTable struct {
	next  [][10]uint16 // by state: the state after each digit; state 0 matches nothing any more
	match []uint16     // by state: a bit for each expression that matches here
}

// newDigitTable makes a table of at most 16 expressions, each of which must match all digits.
func newDigitTable(expressions []string) digitTable {
	var b digitTableBuilder
	start := make([]place, 0, len(expressions))
	for i, text := range expressions {
		parsed, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			panic(err) // the metadata's expressions are checked by a test
		}
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			panic(err)
		}
		b.programs = append(b.programs, program)
		start = b.follow(start, place{i, uint32(program.Start)}) //nolint:gosec // it isn't negative
	}
	b.known = make(map[string]uint16)
	b.state(nil)
	b.state(start)
	for at := 0; at < len(b.places); at++ { //nolint:intrange // the loop adds states
		for digit := range b.next[at] {
			var after []place
			for _, p := range b.places[at] {
				in := &b.programs[p.expression].Inst[p.at]
				if in.Op != syntax.InstMatch && in.MatchRune(rune('0'+digit)) {
					after = b.follow(after, place{p.expression, in.Out})
				}
			}
			b.next[at][digit] = b.state(after)
		}
	}
	return b.digitTable
}

// of returns a bit for each expression that matches.
func (t *digitTable) of(digits string) uint16 {
	state := uint16(1)
	for _, c := range []byte(digits) {
		state = t.next[state][c-'0']
	}
	return t.match[state]
}

type digitTableBuilder struct {
	digitTable

	programs []*syntax.Prog
	places   [][]place // by state
	known    map[string]uint16
}

// place is an instruction of an expression's program that reads a digit, or its match.
type place struct {
	expression int
	at         uint32
}

// follow adds the places that a place leads to without a digit.
func (b *digitTableBuilder) follow(all []place, p place) []place {
	in := &b.programs[p.expression].Inst[p.at]
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return b.follow(b.follow(all, place{p.expression, in.Out}), place{p.expression, in.Arg})
	case syntax.InstCapture, syntax.InstNop:
		return b.follow(all, place{p.expression, in.Out})
	case syntax.InstEmptyWidth:
		panic("an expression of numbers with an anchor")
	case syntax.InstFail:
		return all
	case syntax.InstMatch, syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
	}
	if slices.Contains(all, p) {
		return all
	}
	return append(all, p)
}

// state is the number of the state with these places, a new one if it isn't known.
func (b *digitTableBuilder) state(places []place) uint16 {
	slices.SortFunc(places, func(x, y place) int {
		return cmp.Or(cmp.Compare(x.expression, y.expression), cmp.Compare(x.at, y.at))
	})
	var key []byte
	var match uint16
	for _, p := range places {
		key = binary.AppendUvarint(append(key, byte(p.expression)), uint64(p.at))
		if b.programs[p.expression].Inst[p.at].Op == syntax.InstMatch {
			match |= 1 << p.expression
		}
	}
	if known, found := b.known[string(key)]; found {
		return known
	}
	state := uint16(len(b.places)) //nolint:gosec // a test makes the tables of all regions
	b.known[string(key)] = state
	b.places, b.next, b.match = append(b.places, places), append(b.next, [10]uint16{}), append(b.match, match)
	return state
}
