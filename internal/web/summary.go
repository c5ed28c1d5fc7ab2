package web

import (
	"fmt"
	"slices"
	"strings"
)

// bySeverity are the states of a feed, worst first. A state that isn't among them
// comes after them.
func bySeverity() []State {
	return []State{StateError, StateThrottled, StateCatchingUp, StateOK}
}

// summary is the page's one sentence, and the worst state for its colour. Screen
// readers are told when it changes, so nothing in it changes by itself.
func summary(status Status) (text string, worst State) {
	counts, feeds := map[State]int{}, 0
	order := bySeverity()
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			if !slices.Contains(order, feed.State) {
				order = append(order, feed.State)
			}
			counts[feed.State]++
			feeds++
		}
	}
	var parts []string
	for _, state := range order {
		if counts[state] == 0 {
			continue
		}
		if worst == "" {
			worst = state
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], stateText(string(state))))
	}
	return readyText(status) + " " + feedsText(feeds, parts), worst
}

func readyText(status Status) string {
	if status.Ready {
		return "Ready."
	}
	return "Not ready: " + strings.TrimSuffix(status.NotReady, ".") + "."
}

func feedsText(feeds int, parts []string) string {
	switch feeds {
	case 0:
		return "No feeds."
	case 1:
		return "1 feed: " + strings.Join(parts, ", ") + "."
	default:
		return fmt.Sprintf("%d feeds: %s.", feeds, strings.Join(parts, ", "))
	}
}
