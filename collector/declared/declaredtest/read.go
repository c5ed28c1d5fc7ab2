package declaredtest

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// Poll reads a stream from a position, and returns the position behind it and the ids.
func Poll(
	t *testing.T, info *collector.FeedInfo, from collector.StreamPosition,
) (position []byte, ids []string, err error) {
	t.Helper()
	position = from.Resume
	for page, failed := range info.Stream.Pages(t.Context(), from) {
		if failed != nil {
			return position, ids, failed
		}
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if page.Position != nil {
			position = page.Position.Resume
		}
	}
	return position, ids, nil
}

// IDs are the ids of what a reader yields.
func IDs(t *testing.T, pages func(func(*collector.Page, error) bool)) (ids []string) {
	t.Helper()
	for page, err := range pages {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
