//go:build !linux

package main

import "errors"

// mountDisk mounts nothing: only Linux has what it takes.
func mountDisk(string) (unmount func(), err error) { return nil, nil }

func fill(string) error { return errors.ErrUnsupported }
