package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// failing is a way to fail: what Graph says, and what it means.
type failing struct {
	weight int
	stage  stage
	// reason is Graph's text, slug the label: both empty for most.
	reason, slug string
}

// stage is when a session failed.
type stage struct {
	wire, label string
	result      cdr.SessionResult
}

var (
	stageSetup   = stage{"callSetup", "call_setup", cdr.SessionSetupFailed}
	stageMidcall = stage{"midcall", "midcall", cdr.SessionDropped}
	// stageUnknown doesn't say when: it counts as a failure of setting up.
	stageUnknown = stage{"unknown", "unknown", cdr.SessionSetupFailed}
)

func setupFailures() []failing {
	at := func(weight int, reason, slug string) failing { return failing{weight, stageSetup, reason, slug} }
	return []failing{
		at(60, "", ""),
		at(4, "Media connectivity could not be established", "media"),
		at(4, "ICE checks failed", "ice"),
		at(4, "Call setup timeout", "timeout"),
		at(2, "The request timed out", "timeout"),
		at(5, "User is busy", "busy"),
		at(4, "Declined by the callee", "declined"),
		at(2, "The call was rejected", "declined"),
		at(5, "Cancelled by the caller", "cancelled"),
		at(2, "User not found", "not_found"),
		at(2, "Forbidden", "forbidden"),
		at(1, "Not authorized to join", "forbidden"),
		// The letters of ICE are in this one: it has nothing to do with that.
		at(2, "Service unavailable", "unavailable"),
		at(2, "Blocked by a calling policy", "policy"),
		at(1, "Hologram jammed", "other"),
		{8, stageUnknown, "", ""},
	}
}

func droppedSessions() []failing {
	return []failing{
		{6, stageMidcall, "", ""},
		{2, stageMidcall, "Network connectivity was lost", "network"},
		{1, stageMidcall, "Media path lost", "media"},
	}
}

// pick draws a way to fail; nil from none.
func pick(ways []failing, d *simulator.Draws) *failing {
	sum := 0
	for i := range ways {
		sum += ways[i].weight
	}
	n := d.Below(sum)
	for i := range ways {
		if n < ways[i].weight {
			return &ways[i]
		}
		n -= ways[i].weight
	}
	return nil
}
