//go:build !linux

package ledger

// networkFileSystem is only known on Linux.
func networkFileSystem(string) string { return "" }

// freeSpace is only known on Linux.
func freeSpace(string) (int64, bool) { return 0, false }
