//go:build !linux

package ledger

// fileSystem is only known on Linux.
func fileSystem(string) (network string, free int64, known bool) { return "", 0, false }
