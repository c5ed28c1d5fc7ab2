// Package openmetrics writes series with the times of their samples, as OpenMetrics text. `promtool
// tsdb create-blocks-from openmetrics` makes blocks of it.
//
// The caller has to write in the order that the format requires, and the writer doesn't check it:
// family by family, within a family series by series, within a series by time.
//
//	Family  # TYPE, # HELP
//	  Series
//	    Value or Histogram, each at its time
//	Close   # EOF
//
// The Writer writes no created timestamps, because promtool takes them for separate series, and no
// units.
//
// Errors: the Writer keeps the first error of the underlying writer, and Close returns it. A file
// without `# EOF` at its end isn't valid OpenMetrics.
package openmetrics
