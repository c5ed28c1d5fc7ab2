//go:build !linux

package main

import "errors"

// mountDisk mounts nothing: only Linux has what it takes.
func mountDisk(*fixture, string) (string, error) { return "", nil }

func fill(string) error { return errors.ErrUnsupported }
