package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// writer makes the writer of a page, whose links a fault may change.
func (p *recordPage) writer(fault simulator.Fault) *recordWriter {
	s := p.server
	wants := preferences(p.request.Header)
	_, modern := wants["include-unknown-enum-members"]
	host := "https://" + p.request.Host
	w := &recordWriter{
		doc:  doc{bare: wants["omit-values"] == "nulls", modern: modern, b: make([]byte, 0, 16<<10)},
		host: host, tenant: s.settings.TenantID, linkName: "@odata.nextLink",
		sizes: recordSizes{sessions: p.preferred(s.settings.SessionPage), segments: s.settings.SegmentPage, participants: p.preferred(s.settings.ParticipantPage)},
	}
	switch p.What {
	case restSegments:
		w.sizes.segments = p.limit
	case restParticipants:
		w.sizes.participants = p.limit
	default:
		w.sizes.sessions = p.limit
	}
	if fault == CapitalLink {
		// The documentation's samples have both of these.
		w.linkName = "@odata.NextLink"
		if p.What == "" {
			w.linkName = "@odata.nextlink"
		}
	}
	w.next = func(to rest) string {
		to.Size = p.Size
		switch fault {
		case HostileLink:
			return s.hostile.URL() + p.request.RequestURI
		case RepeatedLink:
			return host + p.request.RequestURI
		default:
			return host + s.restLink(to, fault == EmptyPage || fault == ShortPage)
		}
	}
	w.forced = fault == HostileLink || fault == RepeatedLink
	return w
}

// writeList writes a page of the list.
func (p *recordPage) writeList(w *recordWriter) {
	w.object("", func() {
		w.text("@odata.context", w.host+"/v1.0/$metadata#communications/callRecords")
		if p.more || w.forced {
			to := rest{What: restRecords, In: p.In, After: p.After}
			if p.count > 0 {
				to.After = &p.rows[p.count-1].at
			}
			w.link("", to)
		}
		w.list("value", p.count, func(i int) {
			for range max(1, p.rows[i].call.Copies) {
				w.row(&p.rows[i])
			}
		})
	})
}

// writeInner writes a further page of what a record has, or the first by itself.
func (p *recordPage) writeInner(w *recordWriter) {
	of := "('" + p.plan.id.String() + "')"
	w.text("@odata.context", w.host+"/v1.0/$metadata#communications/callRecords"+of+"/"+p.What)
	switch p.What {
	case restSessions:
		w.sessions(&p.plan, p.version, p.Skip, p.Segments, "")
	case restSegments:
		s := p.plan.session(p.Session, p.plan.all[p.version].again)
		w.segments(&p.plan, p.version, p.Session, p.Skip, &s, "")
	case restParticipants:
		w.participants(&p.plan, p.version, p.Skip, "")
	}
}
