// Package require ends a test that can't go on.
package require

import "testing"

// NoError ends the test if err isn't nil.
func NoError(t testing.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
