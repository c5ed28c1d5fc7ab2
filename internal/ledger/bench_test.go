package ledger

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// sizedEncoder makes log records of a usual size without encoding anything.
type sizedEncoder struct{}

func (sizedEncoder) AppendRecord(batch []byte, r *cdr.Record, _ *RecordEvent) []byte {
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

var trunks = []string{"sbc1.example.com", "sbc2.example.com", "sbc3.example.com", "sbc4.example.com", "sbc5.example.com"}

func benchLedger(b *testing.B, encoder LogEncoder) *Feed {
	verifying = false
	b.Cleanup(func() { verifying = true })
	l, err := Open(b.Context(), Settings{
		Folder: b.TempDir(), Now: time.Now, Options: metrics.Options{SeriesLimit: 10000, BypassWindow: time.Hour, Native: true},
		Tuning: Tuning{Privacy: cdr.DefaultPolicy(), Encoder: encoder, OutboxLimit: 1 << 40},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	f, err := l.Feed(b.Context(), FeedSpec{Source: "s", Provider: "msgraph", Feed: "direct_routing", History: 20 * 365 * 24 * time.Hour, Lookback: 48 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkCommit is the ledger alone: pages of 1000 records, each commit
// durable. The unit is one row.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct {
		name    string
		encoder LogEncoder
		again   bool
	}{
		{"new rows without logs", nil, false},
		{"new rows with outbox", sizedEncoder{}, false},
		{"rows known already", nil, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := benchLedger(b, c.encoder)
			rng := rand.New(rand.NewPCG(1, 2))
			records := make([]*cdr.Record, 1000)
			for i := range records {
				records[i] = new(cdr.Record)
			}
			benchPage(rng, 0, records)
			if c.again {
				if _, err := f.Commit(b.Context(), &Page{Records: records, ObservedAt: epoch}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for page := 0; b.Loop(); page++ {
				if !c.again {
					b.StopTimer()
					benchPage(rng, page, records)
					b.StartTimer()
				}
				if _, err := f.Commit(b.Context(), &Page{Records: records, ObservedAt: epoch.Add(time.Duration(page) * time.Minute)}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
