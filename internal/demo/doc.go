// Package demo is a small estate of simulated providers that one can watch: a Teams tenant,
// a RingCentral account and a Wavix account whose calls go on for ever, and an ordinary
// configuration that reads them. The subcommand demo runs on it, and tools/stack. Every
// run meets the same calls at the same time, so that a ledger can be kept.
package demo
