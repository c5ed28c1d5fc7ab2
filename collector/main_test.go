package collector

import (
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Virtual time goes on when all goroutines wait: on several cores they mostly wake each other,
	// which takes a quarter of the time.
	runtime.GOMAXPROCS(1)
	goleak.VerifyTestMain(m)
}
