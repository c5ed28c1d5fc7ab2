package files

import (
	"io/fs"
	"os"
	"syscall"
)

// idOf is a number that no other file of the same disk has, as long as the file exists.
func idOf(path string, _ fs.FileInfo) (uint64, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the files
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	var of syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &of); err != nil {
		return 0, err
	}
	return uint64(of.FileIndexHigh)<<32 | uint64(of.FileIndexLow), nil
}
