// Package long says how many cases a test with random input runs: a few, the same each time, or
// many more in `make long`.
package long

import (
	"os"
	"strconv"
)

// Seeds is how many seeds a test runs: usual ones, multiplied by CDR_LONG if that is set to a whole number.
func Seeds(usual uint64) uint64 {
	factor, err := strconv.ParseUint(os.Getenv("CDR_LONG"), 10, 16)
	if err != nil || factor == 0 {
		return usual
	}
	return usual * factor
}
