package files

import (
	"io/fs"
	"syscall"
)

// changeOf is when a file last changed, in Unix nanoseconds. Unlike its time of modification nobody
// can set it.
func changeOf(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ctim.Nano()
	}
	return 0
}
