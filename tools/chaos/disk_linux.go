package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// diskSize has room for the ledger of a round, its reserve, and a WAL.
const diskSize = 96 << 20

// mountDisk mounts a small file system at a folder that it makes, until the fixture is closed, and returns the folder;
// empty if this user may not mount.
func mountDisk(b *fixture, folder string) (string, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", diskSize))
	if errors.Is(err, syscall.EPERM) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("mount a small file system: %w", err)
	}
	b.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) }) // the folder is temporary
	return folder, nil
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
