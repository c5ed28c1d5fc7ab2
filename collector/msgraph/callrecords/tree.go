package callrecords

import (
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

var emergencyText = map[cdr.Emergency]string{cdr.EmergencyReal: "yes", cdr.EmergencyTest: "test"}

// tree shows a call record, with what the exporter makes of it.
func (m *mapper) tree(c *callRecord) *collector.CallTree {
	r := m.mapRecord(c, true)
	t := node("call",
		field("id", c.ID), cdr.Whole("version", c.Version), field("type", r.CallType),
		field("direction", r.Direction.String()), field("outcome", r.Outcome.String()), field("reason", r.Reason),
		field("start", instantText(c.Start)), field("end", instantText(c.End)), field("duration", r.Duration.Round(time.Millisecond).String()),
		field("last_modified", instantText(c.Modified)), field("media_bypass", r.MediaBypass.String()), field("emergency", emergencyText[r.Emergency]),
	)
	if len(c.Modalities) > 0 {
		t.Fields = append(t.Fields, cdr.Texts("modalities", slugs(c.Modalities), cdr.Plain))
	}
	if c.Organizer != nil {
		addChild(t, node("organizer", c.Organizer.Identity.fields()...))
	}
	for i := range c.Participants {
		addChild(t, node("participant", c.Participants[i].Identity.fields()...))
	}
	for i := range c.Sessions {
		addChild(t, m.sessionTree(&r.Sessions[i], &c.Sessions[i]))
	}
	return t
}

// node is a part of a tree, without its empty fields.
func node(label string, fields ...cdr.Attr) *collector.CallTree {
	t := &collector.CallTree{Label: label}
	for _, f := range fields {
		if f.Type != cdr.StringAttr || f.Str != "" {
			t.Fields = append(t.Fields, f)
		}
	}
	return t
}

// addChild adds a part to a tree.
func addChild(t, part *collector.CallTree) { t.Children = append(t.Children, part) }

// addFields adds a part that has only fields, if there are any.
func addFields(t *collector.CallTree, label string, fields []cdr.Attr) {
	if len(fields) > 0 {
		addChild(t, &collector.CallTree{Label: label, Fields: fields})
	}
}

func field(key, text string) cdr.Attr { return cdr.Text(key, text, cdr.Plain) }

// person is a field that names somebody.
func person(key, text string) cdr.Attr { return cdr.Text(key, text, cdr.User) }

func (m *mapper) sessionTree(one *cdr.Session, s *session) *collector.CallTree {
	t := node("session",
		field("id", s.ID), field("result", one.Result.String()), field("media", one.Media),
		field("start", instantText(s.Start)), field("end", instantText(s.End)),
	)
	t.Fields = append(t.Fields, s.Failure.fields()...)
	if s.IsTest {
		t.Fields = append(t.Fields, cdr.Truth("is_test", true))
	}
	addFields(t, "caller", m.endFields(s.Caller))
	addFields(t, "callee", m.endFields(s.Callee))
	for i := range s.Segments {
		addChild(t, m.segmentTree(s, &s.Segments[i]))
	}
	return t
}

func (m *mapper) segmentTree(s *session, part *segment) *collector.CallTree {
	t := node("segment", field("id", part.ID), field("start", instantText(part.Start)), field("end", instantText(part.End)))
	t.Fields = append(t.Fields, part.Failure.fields()...)
	addFields(t, "caller", m.endFields(part.Caller))
	addFields(t, "callee", m.endFields(part.Callee))
	caller, callee := part.endpoints(s)
	for i := range part.Media {
		addChild(t, m.mediaTree(caller, callee, &part.Media[i]))
	}
	return t
}

func (m *mapper) mediaTree(caller, callee *endpoint, medium *media) *collector.CallTree {
	t := node("media", field("label", medium.Label))
	addFields(t, "caller network", medium.CallerNetwork.fields())
	addFields(t, "callee network", medium.CalleeNetwork.fields())
	addFields(t, "caller device", describe(medium.CallerDevice))
	addFields(t, "callee device", describe(medium.CalleeDevice))
	for i := range medium.Streams {
		one := m.mapStream(caller, callee, medium, &medium.Streams[i])
		stream := node("stream",
			field("verdict", one.Verdict().String()), field("direction", one.Direction()), field("media", one.Media),
			field("sender_network", one.Network), field("sender_platform", one.Platform),
		)
		stream.Fields = append(stream.Fields, describe(medium.Streams[i].raw)...)
		addChild(t, stream)
	}
	return t
}

// fields describe where and why something failed.
func (f *failure) fields() []cdr.Attr {
	if f == nil {
		return nil
	}
	// Free text may name somebody.
	return node("", field("failure_stage", cdr.CallType(f.Stage)), field("failure_reason", failureReason(f.Reason)),
		person("failure_text", f.Reason)).Fields
}

func (n *network) fields() []cdr.Attr {
	if n == nil {
		return nil
	}
	return describe(n.raw)
}

// endFields describe who was at an end, and with what.
func (m *mapper) endFields(e *endpoint) []cdr.Attr {
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

// fields describe an identity and its kind.
func (s *identitySet) fields() []cdr.Attr {
	for _, one := range []struct {
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
		if one.who != nil && one.who.ID != "" {
			return one.who.fields(one.kind)
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
