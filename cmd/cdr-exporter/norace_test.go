//go:build !race

package main_test

// raceDetector says whether tests and binary are built with the race detector.
const raceDetector = false
