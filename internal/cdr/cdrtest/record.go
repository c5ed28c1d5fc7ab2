// Package cdrtest makes records for tests.
package cdrtest

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Epoch is where the clocks of tests start, at a full hour.
var Epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Option changes a record.
type Option = func(*cdr.Record)

// Call is an answered inbound call of a minute, ten minutes before Epoch; options change it.
func Call(id string, options ...Option) *cdr.Record {
	r := &cdr.Record{
		ID: id, CallID: "c-" + id, Start: Epoch.Add(-10 * time.Minute), Duration: time.Minute,
		Direction: cdr.Inbound, CallType: "byot_in", Outcome: cdr.Answered, Trunk: "sbc1.example.com",
		CallerNumber: "+15550100001", CalleeNumber: "+15550100002", UserName: "Jane Doe",
	}
	for _, o := range options {
		o(r)
	}
	return r
}

// Money reads an amount.
func Money(t testing.TB, text string) cdr.Money {
	t.Helper()
	m, err := cdr.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Charge adds a charge.
func Charge(t testing.TB, component, currency, amount string) Option {
	t.Helper()
	m := Money(t, amount)
	return func(r *cdr.Record) {
		r.Charges = append(r.Charges, cdr.Charge{Component: component, Currency: currency, Amount: m})
	}
}

// Outcome sets the outcome.
func Outcome(o cdr.Outcome) Option { return func(r *cdr.Record) { r.Outcome = o } }

// InGroup sets the key of the call that the record is one of several legs of.
func InGroup(name string) Option { return func(r *cdr.Record) { r.CallKey = name } }

// ChildOf sets the id of the parent.
func ChildOf(id string) Option { return func(r *cdr.Record) { r.Parent = id } }

// Alts sets the other ids.
func Alts(ids ...string) Option { return func(r *cdr.Record) { r.AltIDs = ids } }

// Provisional makes it a record that isn't final.
func Provisional(r *cdr.Record) { r.Provisional = true }

// Start sets when the call started.
func Start(at time.Time) Option { return func(r *cdr.Record) { r.Start = at } }

// Version sets the provider's version.
func Version(n int64) Option { return func(r *cdr.Record) { r.Version = n } }

// Settled makes it a record whose parts are complete.
func Settled(r *cdr.Record) { r.Settled = true }

// Bypass says whether media bypassed.
func Bypass(b cdr.Bool) Option { return func(r *cdr.Record) { r.MediaBypass = b } }

// Sessions adds audio sessions that went well, by their ids.
func Sessions(ids ...string) Option {
	return func(r *cdr.Record) {
		for _, id := range ids {
			r.Sessions = append(r.Sessions, cdr.Session{ID: id, Start: r.Start, Media: "audio"})
		}
	}
}

// Stream adds an audio stream with 20 ms of jitter and, if it is poor, a lot of loss.
func Stream(poor bool) Option {
	return func(r *cdr.Record) {
		s := cdr.Stream{Media: "audio", ToCallee: true, Network: "wifi", Platform: "windows"}
		s.Jitter, s.Loss, s.Packets = cdr.KnownLength(20*time.Millisecond), cdr.KnownFloat(0), cdr.KnownInt(1000)
		if poor {
			s.Loss = cdr.KnownFloat(0.25)
		}
		r.Streams = append(r.Streams, s)
	}
}
