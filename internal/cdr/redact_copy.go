package cdr

import "slices"

// Redacted is a copy of a record after redaction. It uses the memory of into, and shares with the
// record what redaction doesn't change.
func (d *Redactor) Redacted(into, r *Record) *Record {
	extra, sessions := into.Extra[:0], into.Sessions[:0]
	*into = *r
	into.Extra, into.Legs = copyAttrs(extra, r.Extra), slices.Clone(r.Legs)
	into.Sessions = append(sessions, r.Sessions...)
	for i := range into.Sessions {
		s := &into.Sessions[i]
		s.Extra, s.Streams = copyAttrs(nil, s.Extra), slices.Clone(s.Streams)
		for k := range s.Streams {
			s.Streams[k].Extra = copyAttrs(nil, s.Streams[k].Extra)
		}
	}
	d.Redact(into)
	return into
}

func copyAttrs(dst, all []Attr) []Attr {
	dst = append(dst, all...)
	for i := range dst {
		dst[i].Strs = slices.Clone(dst[i].Strs)
	}
	return dst
}
