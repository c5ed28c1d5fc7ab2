//go:build !linux

package ledger

// fileSystemOf only knows file systems on Linux.
func fileSystemOf(string) string { return "" }

// freeSpace is only known on Linux.
func freeSpace(string) (int64, bool) { return 0, false }
