// Package openmetrics writes series with the times of their samples, as OpenMetrics
// text: what `promtool tsdb create-blocks-from openmetrics` makes blocks of.
//
// The caller gives the order that the format asks for, and the writer has no memory of it:
// family by family, within a family series by series, within a series in the order of time.
//
//	Family  # TYPE, # HELP
//	  Series
//	    Value or Histogram, each at its time
//	Close   # EOF
//
// There are no lines of created timestamps, since promtool takes those for series of their
// own, and no units.
//
// When things fail: the first error of the writer beneath is kept, and Close returns it; a
// file without `# EOF` at its end is no OpenMetrics.
package openmetrics
