package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// fixture is the part of a test that pgtest needs.
type fixture struct {
	testing.TB

	ctx  context.Context
	ends []func()
}

// failure is the value with which Fatal panics.
type failure struct{ error }

func (b *fixture) Helper()                           {}
func (b *fixture) Context() context.Context          { return b.ctx }
func (b *fixture) Cleanup(f func())                  { b.ends = append(b.ends, f) }
func (b *fixture) Fatal(args ...any)                 { panic(failure{errors.New(fmt.Sprint(args...))}) }
func (b *fixture) Fatalf(format string, args ...any) { b.Fatal(fmt.Sprintf(format, args...)) }

// close cleans up, and adds Fatal's text to err. Defer it.
func (b *fixture) close(err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = errors.Join(*err, p)
	default:
		panic(p)
	}
	for _, end := range slices.Backward(b.ends) {
		end()
	}
}
