package sim

import (
	"strconv"
	"time"
)

// sessions writes a page of sessions, as a member of a record or, with an empty name, by
// itself.
func (w *recordWriter) sessions(p *plan, version, skip int, segments bool, name string) {
	r := &p.all[version]
	last := min(r.sessions, skip+w.sizes.sessions)
	w.list(memberName(name), last-skip, func(i int) { w.session(p, version, skip+i, segments) })
	if last < r.sessions || w.forced {
		w.link(name, rest{ID: p.id.String(), Version: version, What: restSessions, Segments: segments, Skip: last})
	}
}

// session writes one session, with its segments or without.
func (w *recordWriter) session(p *plan, version, index int, segments bool) {
	r := &p.all[version]
	s := p.session(index, r.again)
	w.object("", func() {
		w.text("id", s.id.String())
		w.texts("modalities", s.carries.modalities)
		w.time("startDateTime", later(s.start, r.start), index)
		w.time("endDateTime", s.end, index)
		w.truth("isTest", s.test)
		w.failure(s.failure, r.told)
		w.end("caller", &s.caller, r.rated)
		w.end("callee", &s.callee, r.rated)
		if segments {
			w.segments(p, version, index, 0, &s, "segments")
		}
	})
}

func (w *recordWriter) failure(f *failing, told bool) {
	if f == nil || !told {
		w.null("failureInfo")
		return
	}
	w.object("failureInfo", func() {
		w.text("stage", f.stage.wire)
		w.text("reason", f.reason)
	})
}

// segments writes a page of a session's segments.
func (w *recordWriter) segments(p *plan, version, index, skip int, s *session, name string) {
	r := &p.all[version]
	last := min(len(s.segments), skip+w.sizes.segments)
	w.list(memberName(name), last-skip, func(i int) { w.segment(s, &s.segments[skip+i], r, index < r.media) })
	if last < len(s.segments) || w.forced && name == "" {
		w.link(name, rest{ID: p.id.String(), Version: version, What: restSegments, Session: index, Skip: last})
	}
}

// segment writes one segment. Its ends are those of the session; what they say of their
// ratings is no further rating.
func (w *recordWriter) segment(s *session, part *segment, r *release, media bool) {
	w.object("", func() {
		w.text("id", part.id.String())
		w.time("startDateTime", later(part.start, r.start), s.caller.style)
		w.time("endDateTime", later(part.end, r.start.Add(time.Millisecond)), s.callee.style)
		w.failure(part.failure, r.told)
		w.end("caller", &s.caller, r.rated)
		w.end("callee", &s.callee, r.rated)
		if !media && s.caller.style == 0 {
			w.null("media")
			return
		}
		n := len(part.media)
		if !media {
			n = 0
		}
		w.list("media", n, func(i int) { w.medium(s, &part.media[i]) })
	})
}

// medium writes one kind of media.
func (w *recordWriter) medium(s *session, m *medium) {
	w.object("", func() {
		w.text("label", m.line.wire)
		w.network("callerNetwork", &s.caller)
		w.network("calleeNetwork", &s.callee)
		w.device("callerDevice", &s.caller)
		w.device("calleeDevice", &s.callee)
		w.list("streams", len(m.streams), func(i int) { w.stream(s, m.line, &m.streams[i]) })
	})
}

// stream writes one stream. Durations are ISO 8601, ratios are from 0 to 1, and one
// member is a percentage; what wasn't measured is null or missing.
func (w *recordWriter) stream(s *session, l *line, m *stream) {
	w.object("", func() {
		w.text("streamId", strconv.Itoa(1_504_545_584+m.style))
		w.text("streamDirection", way(m.toCallee))
		w.time("startDateTime", s.start, m.style)
		w.time("endDateTime", s.end, m.style)
		w.codec(l, m.style)
		w.micros("averageJitter", m.jitter, m.style)
		w.micros("maxJitter", scale(m.jitter, 3), m.style)
		w.micros("averageRoundTripTime", m.roundTrip, m.style)
		w.micros("maxRoundTripTime", scale(m.roundTrip, 2), m.style)
		w.scaled("averagePacketLossRate", m.loss, 6, m.style)
		w.scaled("maxPacketLossRate", most(scale(m.loss, 2), 1_000_000), 6, m.style)
		w.scaled("averageRatioOfConcealedSamples", m.concealed, 6, m.style)
		w.scaled("maxRatioOfConcealedSamples", most(scale(m.concealed, 2), 1_000_000), 6, m.style)
		w.scaled("packetUtilization", m.packets, 0, m.style)
		w.scaled("postForwardErrorCorrectionPacketLossRate", m.lossLeft, 6, m.style)
		w.scaled("averageVideoFrameLossPercentage", m.frameLoss, 2, m.style)
		w.scaled("averageVideoFrameRate", m.frameRate, 2, m.style)
		// These two are much like the ones above, and not what the rules ask for.
		w.scaled("averageVideoPacketLossRate", m.lossLeft, 6, m.style+1)
		w.scaled("averageReceivedFrameRate", scale(m.frameRate, 2), 2, m.style)
		w.micros("averageFreezeDuration", m.lossLeft, m.style)
		w.null("averageBandwidthEstimate")
		if m.bypass.Known() {
			w.truth("wasMediaBypassed", m.bypass.String() == "true")
		} else {
			w.unknown("wasMediaBypassed", m.style)
		}
	})
}

func way(toCallee bool) string {
	if toCallee {
		return "callerToCallee"
	}
	return "calleeToCaller"
}

func (w *recordWriter) codec(l *line, style int) {
	audio := [...]string{"satin", "silkWide", "g722", "pcmu", "opus", "satinFullband", "silk", "unknown"}
	video := [...]string{"h264", "av1", "h264uc", "unknown"}
	switch l.codec {
	case "audio":
		w.text("audioCodec", audio[style%len(audio)])
		w.truth("isAudioForwardErrorCorrectionUsed", style%2 == 0)
	case "video":
		w.text("videoCodec", video[style%len(video)])
	}
}
