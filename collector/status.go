package collector

import "time"

// State is how a feed is doing, as /api/v1/status shows it.
type State string

// The states, from the best to the worst.
const (
	// StateOK: read on time.
	StateOK State = "ok"
	// StateCatchingUp: the watermark is more than max(10m, 3 intervals) behind.
	StateCatchingUp State = "catching_up"
	// StateThrottled: the provider throttles.
	StateThrottled State = "throttled"
	// StateError: the last poll failed, or a part of what is due keeps failing;
	// Status.LastError says why and what to do.
	StateError State = "error"
)

// Status is a feed at an instant.
type Status struct {
	Source, Provider, Feed string
	State                  State
	// Watermark: every call that started before it has been looked for.
	Watermark time.Time
	// LastSuccess is when a poll last ended well in this process; zero: never.
	LastSuccess time.Time
	// NextRead is when the next poll is due; zero while one runs.
	NextRead time.Time
	// Records is how many records the feed has counted.
	Records uint64
	// LastError is the present trouble in one line with what to do about it;
	// empty if there is none. It holds no secrets.
	LastError string
	// Ready says that the feed's history has been read or that reading it has
	// failed at least once.
	Ready bool
	// ClockOffset is the provider's clock minus ours.
	ClockOffset time.Duration
	// Unread are the spans of time that can't be read and are stepped over, as FROM/TO.
	Unread []string
	// Reads names the way in which the feed is read, if there are several.
	Reads string
}

// behind says whether a watermark is so far behind that the feed is catching up.
func behind(watermark, now time.Time, interval time.Duration) bool {
	return !watermark.IsZero() && now.Sub(watermark) > max(10*time.Minute, 3*interval)
}
