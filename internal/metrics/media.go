package metrics

import (
	"math"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Session counts a session, in whichever version of its call it appears.
func (t *Tally) Session(s *cdr.Session) {
	t.inc(Sessions, s.Result.String(), s.Media)
	if s.Result != cdr.SessionOK {
		t.inc(SessionFailures, s.Stage, s.Reason)
	}
}

// Settle counts what counts once per call, when its record has settled: the streams, the
// ratings and, if Count has left it, whether media bypassed.
func (t *Tally) Settle(c *Call) {
	for i := range c.Streams {
		t.stream(&c.Streams[i])
	}
	for _, rating := range c.Ratings {
		t.inc(Ratings, rating)
	}
	if c.BypassLater {
		t.bypass(c)
	}
}

// stream counts a media stream. What wasn't measured of it isn't observed.
func (t *Tally) stream(s *cdr.Stream) {
	direction := s.Direction()
	t.inc(MediaStreams, s.Media, direction, s.Network, s.Platform, s.Verdict().String())
	t.span(MediaJitter, s.Jitter, s, direction)
	t.span(MediaRoundTrip, s.RoundTrip, s, direction)
	t.ratio(MediaPacketLoss, s.Loss, s, direction)
	t.ratio(MediaConcealed, s.Concealed, s, direction)
}

// span observes a time that was measured; one below zero is no measure.
func (t *Tally) span(d *Def, v cdr.Span, s *cdr.Stream, direction string) {
	if v.Known && v.Value >= 0 {
		t.observe(d, v.Value.Microseconds(), s.Media, direction, s.Network)
	}
}

// ratio observes a share that was measured; what isn't between 0 and 1 is no share.
func (t *Tally) ratio(d *Def, v cdr.Float, s *cdr.Stream, direction string) {
	if v.Known && v.Value >= 0 && v.Value <= 1 {
		t.observe(d, int64(math.Round(v.Value*float64(d.Scale))), s.Media, direction, s.Network)
	}
}

// bypass counts a call that says whether media bypassed.
func (t *Tally) bypass(c *Call) {
	if c.MediaBypass.Known() {
		t.inc(MediaBypassCalls, c.Trunk, c.MediaBypass.String())
		t.trail(c.Trunk, c.MediaBypass == cdr.True)
	}
}
