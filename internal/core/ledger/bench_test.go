package ledger

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// sizedEncoder makes log records of a usual size without encoding anything.
type sizedEncoder struct{}

func (sizedEncoder) AppendRecord(batch []byte, r *cdr.Record, _ *counting.Event) []byte {
	return append(append(batch, r.ID...), make([]byte, 600)...)
}

// benchPage is a page of 1000 rows within five minutes of call time, ids random,
// one row in ten up to three days late.
func benchPage(rng *rand.Rand, page int, records []*cdr.Record) []*cdr.Record {
	at := epoch.Add(time.Duration(page) * time.Minute)
	for i := range records {
		r := records[i]
		r.Reset()
		var id [16]byte
		binary.LittleEndian.PutUint64(id[:], rng.Uint64())
		binary.LittleEndian.PutUint64(id[8:], rng.Uint64())
		r.ID = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
		r.CallID = r.ID
		r.Start = at.Add(-time.Duration(rng.IntN(300)) * time.Second)
		if i%10 == 0 {
			r.Start = at.Add(-time.Duration(rng.IntN(72*3600)) * time.Second)
		}
		r.Invite, r.Duration, r.End = r.Start.Add(-2*time.Second), time.Minute, r.Start.Add(time.Minute)
		r.Direction, r.CallType, r.Outcome = cdr.Direction(1+i%2), "byot_in", cdr.Outcome(1+i%9)
		r.Trunk, r.SIPCode, r.SubCode = trunks[i%len(trunks)], cdr.KnownInt(0), cdr.KnownInt(540000)
		r.CallerNumber, r.CalleeNumber, r.UserID = "+15550100001", "+4930123456", "db03c14b-06eb-4189-939b-7cbf3a20ba27"
		r.MediaLocation, r.SignalLocation, r.MediaBypass, r.Country = "USWE", "EUNO", cdr.True, "DE"
		r.UserName, r.UserPrincipal, r.ReasonPhrase = "Some User", "some.user@contoso.example", "BYE"
	}
	return records
}

var trunks = []string{
	"sbc1.example.com", "sbc2.example.com", "sbc3.example.com", "sbc4.example.com",
	"sbc5.example.com",
}

func benchLedger(b *testing.B, encoder LogEncoder, legs bool) *Feed {
	verifying = false
	b.Cleanup(func() { verifying = true })
	l, err := Open(b.Context(), Settings{
		Storage: Storage{Folder: b.TempDir()}, Now: time.Now,
		Options: metrics.Options{SeriesLimit: 10000, BypassWindow: time.Hour, Native: true},
		Tuning:  Tuning{Privacy: cdr.DefaultPolicy(), Encoder: encoder, OutboxLimit: 1 << 40},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	f, err := l.Feed(b.Context(), FeedSpec{Settings: counting.Settings{
		Source: "s", Provider: "msgraph",
		Feed: "direct_routing", History: 20 * 365 * 24 * time.Hour, Lookback: 48 * time.Hour, WholeAfter: 4 * time.Hour,
		Rules: counting.Rules{Legs: legs, Parents: legs},
	}})
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// aChildInTen gives one record in ten a parent that isn't Known: the most expensive case.
func aChildInTen(r *cdr.Record, i int) {
	if i%10 == 3 {
		r.Parent = "parent of " + r.ID
	}
}

// allConnected makes every call one that was answered.
func allConnected(r *cdr.Record, _ int) { r.Outcome = cdr.Answered }

// callsOfThree makes three records that follow each other legs of a call.
func callsOfThree(r *cdr.Record, i int) {
	r.CallKey = fmt.Sprint(r.Start.Unix()/300, "-", i/3)
}

// BenchmarkCommit is the ledger alone: pages of 1000 records, each commit
// durable. The unit is one row.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		name    string
		encoder LogEncoder
		again   bool
		shape   func(*cdr.Record, int) // of the i-th record of a page; nil leaves it
	}{
		{"new rows that are all connected", nil, false, allConnected},
		{"new rows without logs", nil, false, nil},
		{"new rows with outbox", sizedEncoder{}, false, nil},
		{"rows known already", nil, true, nil},
		{"new rows of a feed with parents", nil, false, aChildInTen},
		{"known rows of a feed with parents", nil, true, aChildInTen},
		{"new rows of calls of three", nil, false, callsOfThree},
		{"known rows of calls of three", nil, true, callsOfThree},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := benchLedger(b, c.encoder, c.shape != nil)
			rng := rand.New(rand.NewPCG(1, 2))
			records := make([]*cdr.Record, 1000)
			for i := range records {
				records[i] = new(cdr.Record)
			}
			fill := func(page int) {
				benchPage(rng, page, records)
				for i := range records {
					if c.shape != nil {
						c.shape(records[i], i)
					}
				}
			}
			fill(0)
			if c.again {
				if _, err := f.Commit(b.Context(), &counting.Page{Records: records, ObservedAt: epoch}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for page := 0; b.Loop(); page++ {
				at := epoch.Add(time.Duration(page) * time.Minute)
				if !c.again {
					b.StopTimer()
					fill(page)
					b.StartTimer()
				}
				if _, err := f.Commit(b.Context(),
					&counting.Page{
						Records: records, ObservedAt: at,
						Position: &counting.Position{Watermark: at},
					}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkCallRecords is a feed without hours whose history of thirty days is counted,
// 20000 records: what it costs to be told of one, to list a page of records that are
// known, and to commit one with its sessions. The unit is a commit.
func BenchmarkCallRecords(b *testing.B) {
	f := benchLedger(b, sizedEncoder{}, false)
	f.spec.Rules = moving(true)
	rng := rand.New(rand.NewPCG(1, 2))
	record := func(n int) *cdr.Record {
		r := benchPage(rng, 0, []*cdr.Record{new(cdr.Record)})[0]
		r.ID, r.Version = fmt.Sprint("record ", n), 1
		r.Start = epoch.Add(-time.Duration(n%720) * time.Hour)
		for s := range 4 {
			r.Sessions = append(r.Sessions, cdr.Session{ID: fmt.Sprint(s), Media: "audio"})
		}
		return r
	}
	var known []*cdr.Record
	for n := range 20000 {
		known = append(known, record(n))
	}
	var listed []work.Item
	for n := range 60 {
		listed = append(listed, work.Item{Kind: work.Record, Key: fmt.Sprint("record ", 300*n), Version: 1})
	}
	if _, err := f.Commit(b.Context(), &counting.Page{Records: known, ObservedAt: epoch}); err != nil {
		b.Fatal(err)
	}
	fresh := 20000
	for _, c := range []struct {
		name string
		page func() *counting.Page
	}{
		{"told of a record", func() *counting.Page {
			fresh++
			return &counting.Page{Enqueue: []work.Item{{
				Kind: "told", Key: fmt.Sprint("record ", fresh),
				Version: int64(fresh),
			}}}
		}},
		{"a list of 60 known records", func() *counting.Page { return &counting.Page{Enqueue: listed} }},
		{
			"a new record with four sessions",
			func() *counting.Page { fresh++; return &counting.Page{Records: []*cdr.Record{record(fresh)}} },
		},
		{
			"a known record with four sessions",
			func() *counting.Page { return &counting.Page{Records: []*cdr.Record{record(7)}} },
		},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page := c.page()
				page.ObservedAt = epoch
				if _, err := f.Commit(b.Context(), page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
