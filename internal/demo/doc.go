// Package demo runs simulated providers with endless calls (a Teams tenant, a RingCentral
// account, a Wavix account, and an Asterisk that writes files) and writes an ordinary configuration that reads them, for the
// demo command and tools/stack. Every run has the same calls at the same times, so that a
// ledger can be kept.
package demo
