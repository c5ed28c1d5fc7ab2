//go:build !linux

package ledger

// networkFileSystem is only known on Linux.
func networkFileSystem(string) string { return "" }
