package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// diskSize has room for the ledger of a round, its reserve, and a WAL.
const diskSize = 96 << 20

// mountDisk mounts a small file system at a folder that it makes. It returns nil if this user may not mount.
func mountDisk(folder string) (unmount func(), err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	err = syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", diskSize))
	if errors.Is(err, syscall.EPERM) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mount a small file system: %w", err)
	}
	return func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) }, nil // the folder is temporary
}

// fill writes a file until its disk has no byte left.
func fill(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("fill the disk: %w", err)
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
