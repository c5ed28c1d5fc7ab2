// Package rows reads the rows of texts: CSV, JSON objects, lines that match a pattern, and XML. It
// knows nothing of calls. A row that can't be read has a problem, and the rows behind it are read.
//
//	layout.go   how rows are written
//	reader.go   rows of lines, which may still be written
//	objects.go  JSON objects that follow each other
//	pattern.go  a line's values by a regular expression
//	xml.go      elements of XML
package rows
