// Package wire parses the answers of all providers. It reads JSON in memory, limits the size of
// rows and decodes only the members that a provider needs.
package wire
