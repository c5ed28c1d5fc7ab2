package msgraph

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// tree is a call record for people to read, with what the exporter makes of it.
func (m *callMapper) tree(c *callRecord) *collector.CallTree {
	r := m.record(c, true)
	t := node("call",
		field("id", c.ID), cdr.Whole("version", c.Version), field("type", r.CallType),
		field("direction", r.Direction.String()), field("outcome", r.Outcome.String()), field("reason", r.Reason),
		field("start", instant(c.Start)), field("end", instant(c.End)), field("duration", r.Duration.Round(time.Millisecond).String()),
		field("last_modified", instant(c.Modified)), field("media_bypass", r.MediaBypass.String()), field("emergency", emergencyWord(r.Emergency)),
	)
	if len(c.Modalities) > 0 {
		t.Fields = append(t.Fields, cdr.Texts("modalities", slugs(c.Modalities), cdr.Plain))
	}
	if c.Organizer != nil {
		add(t, node("organizer", c.Organizer.Identity.fields()...))
	}
	for i := range c.Participants {
		add(t, node("participant", c.Participants[i].Identity.fields()...))
	}
	for i := range c.Sessions {
		add(t, m.sessionTree(&r.Sessions[i], &c.Sessions[i]))
	}
	return t
}

// node is a part of a tree, without fields that say nothing.
func node(label string, fields ...cdr.Attr) *collector.CallTree {
	t := &collector.CallTree{Label: label}
	for _, f := range fields {
		if f.Type != cdr.StringAttr || f.Str != "" {
			t.Fields = append(t.Fields, f)
		}
	}
	return t
}

// add adds a part to a tree.
func add(t, part *collector.CallTree) { t.Children = append(t.Children, part) }

// addKnown adds a part if anything is known of it.
func addKnown(t, part *collector.CallTree) {
	if len(part.Fields)+len(part.Children) > 0 {
		add(t, part)
	}
}

func field(key, text string) cdr.Attr { return cdr.Text(key, text, cdr.Plain) }

// person is a field that names somebody.
func person(key, text string) cdr.Attr { return cdr.Text(key, text, cdr.User) }

func emergencyWord(e cdr.Emergency) string {
	switch e {
	case cdr.EmergencyReal:
		return "yes"
	case cdr.EmergencyTest:
		return "test"
	case cdr.NoEmergency:
	}
	return ""
}

func (m *callMapper) sessionTree(one *cdr.Session, s *session) *collector.CallTree {
	t := node("session",
		field("id", s.ID), field("result", one.Result.String()), field("media", one.Media),
		field("start", instant(s.Start)), field("end", instant(s.End)),
	)
	t.Fields = append(t.Fields, s.Failure.fields()...)
	if s.IsTest {
		t.Fields = append(t.Fields, cdr.Truth("is_test", true))
	}
	addKnown(t, node("caller", m.endFields(s.Caller)...))
	addKnown(t, node("callee", m.endFields(s.Callee)...))
	for i := range s.Segments {
		add(t, m.segmentTree(s, &s.Segments[i]))
	}
	return t
}

func (m *callMapper) segmentTree(s *session, part *segment) *collector.CallTree {
	t := node("segment", field("id", part.ID), field("start", instant(part.Start)), field("end", instant(part.End)))
	t.Fields = append(t.Fields, part.Failure.fields()...)
	addKnown(t, node("caller", m.endFields(part.Caller)...))
	addKnown(t, node("callee", m.endFields(part.Callee)...))
	ends := part.ends(s)
	for i := range part.Media {
		add(t, m.mediaTree(&ends, &part.Media[i]))
	}
	return t
}

func (m *callMapper) mediaTree(ends *session, medium *media) *collector.CallTree {
	t := node("media", field("label", medium.Label))
	addKnown(t, node("caller network", medium.CallerNetwork.fields()...))
	addKnown(t, node("callee network", medium.CalleeNetwork.fields()...))
	addKnown(t, node("caller device", factsOf(medium.CallerDevice, deviceFacts)...))
	addKnown(t, node("callee device", factsOf(medium.CalleeDevice, deviceFacts)...))
	for i := range medium.Streams {
		one := m.stream(ends, medium, &medium.Streams[i])
		stream := node("stream",
			field("verdict", one.Verdict().String()), field("direction", one.Direction()), field("media", one.Media),
			field("sender_network", one.Network), field("sender_platform", one.Platform),
		)
		stream.Fields = append(stream.Fields, factsOf(medium.Streams[i].raw, streamFacts)...)
		add(t, stream)
	}
	return t
}

// fields say where something failed, and why.
func (f *failure) fields() []cdr.Attr {
	if f == nil {
		return nil
	}
	// Free text may name anybody.
	return node("", field("failure_stage", cdr.CallType(f.Stage)), field("failure_reason", failureReason(f.Reason)),
		person("failure_text", f.Reason)).Fields
}

func (n *network) fields() []cdr.Attr {
	if n == nil {
		return nil
	}
	return factsOf(n.raw, networkFacts)
}

// endFields say who sat at an end, and with what.
func (m *callMapper) endFields(e *endpoint) []cdr.Attr {
	if e == nil {
		return nil
	}
	var all []cdr.Attr
	switch phone := e.phone(); {
	case phone != nil:
		all = append(all, field("kind", "phone"), cdr.Text("number", phone.ID, cdr.Number))
	case e.Associated != nil:
		all = append(all, e.Associated.fields("user")...)
	case e.Identity != nil:
		all = append(all, e.Identity.fields()...)
	}
	all = append(all, person("name", e.Name))
	if a := e.UserAgent; a != nil {
		all = append(all, field("platform", m.platform(a.Platform)), field("product_family", cdr.CallType(a.ProductFamily)),
			field("role", cdr.CallType(a.Role)), field("application_version", a.ApplicationVersion), field("user_agent", a.HeaderValue))
	}
	all = append(all, field("cpu", e.CPU))
	if e.Cores != nil {
		all = append(all, cdr.Whole("cpu_cores", *e.Cores))
	}
	if e.Megahertz != nil {
		all = append(all, field("cpu_speed", strconv.FormatInt(*e.Megahertz, 10)+" MHz"))
	}
	if e.Feedback != nil {
		all = append(all, field("rating", e.rating()), person("feedback", e.Feedback.Text))
	}
	return node("", all...).Fields
}

// fields say who an identity is, and what kind of thing.
func (s *identitySet) fields() []cdr.Attr {
	for _, known := range []struct {
		kind string
		who  *identity
	}{
		{"user", s.User},
		{"guest", s.Guest},
		{"on_premises", s.OnPremises},
		{"encrypted", s.Encrypted},
		{"acs_user", s.ACSUser},
		{"application_instance", s.ApplicationInstance},
		{"application", s.Application},
		{"device", s.Device},
	} {
		if known.who != nil && known.who.ID != "" {
			return known.who.fields(known.kind)
		}
	}
	if s.Phone != nil {
		return node("", field("kind", "phone"), cdr.Text("number", s.Phone.ID, cdr.Number)).Fields
	}
	return nil
}

func (i *identity) fields(kind string) []cdr.Attr {
	return node("", field("kind", kind), person("id", i.ID), person("display_name", i.DisplayName), person("principal", i.Principal)).Fields
}
