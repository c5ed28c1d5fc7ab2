// Package files reads records that another program writes to files: growing ones line by line, and
// those that are written once as a whole. It finds a file again by its content under any name, and
// yields each row once. Positions are committed with the rows.
//
//	config.go    how files are read
//	list.go      which files there are
//	reader.go    one look at all of them
//	lines.go     growing files; position.go: up to where they were read
//	whole.go     files that are written once
//	zipped.go    files compressed by gzip
//	rows         reads the rows (a package)
package files
