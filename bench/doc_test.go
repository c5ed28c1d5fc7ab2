// Package bench has the benchmarks that compare the exporter with the least work that could be
// done, in one run, with the ratio as the result.
//
//	make bench
//
// They check that the work was done right; none asserts a time.
package bench
