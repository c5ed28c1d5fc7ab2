package main_test

import (
	"errors"
	"testing"
	"time"
)

// killWhileWriting kills an exporter so many times, each time once it has read enough, while write is called at a pace, for the nth time. It returns once
// nothing is written any more.
func killWhileWriting(t *testing.T, v *vault, config string, times int, pace time.Duration, write func(n int) error, enough func(m families, kills int) bool) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 1; err == nil; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(pace):
				err = write(n)
			}
		}
		stopped <- err
	}()
	for kills := range times {
		x := start(t, v, launch{config: config}).serving()
		eventually(t, "count something", func() error {
			if !enough(x.scrape(), kills) {
				return errors.New("too little was read")
			}
			return nil
		})
		x.kill()
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}
