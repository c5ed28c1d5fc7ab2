package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// childFolder, in the environment, makes this program a child that commits pages
// to the ledger of a folder until it is killed.
const childFolder = "CDR_BENCH_LEDGER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		commitForEver(folder)
		return
	}
	m.Run()
}

// idLedger is a ledger with a feed that takes calls of many weeks.
type idLedger struct {
	ledger *ledger.Ledger
	feed   *ledger.Feed
	rng    *rand.Rand
	perDay int
	at     time.Time // of the page
	page   []*cdr.Record
}

// idsBegin is when the first call of the measurement starts.
var idsBegin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// openIDs opens a ledger in a folder with a feed that reads the account of this fingerprint.
func openIDs(b *testing.B, folder, fingerprint string) *idLedger {
	l, err := ledger.Open(b.Context(), ledger.Settings{
		Storage: ledger.Storage{Folder: folder}, Now: time.Now,
		Options: metrics.Options{SeriesLimit: 10_000, Native: true},
		Tuning:  ledger.Tuning{Privacy: cdr.DefaultPolicy(), Encoder: otlp.Encoder{}, OutboxLimit: 1 << 40},
	})
	require.NoError(b, err)
	spec := ledger.FeedSpec{
		Settings: counting.Settings{
			Source: "bench", Provider: "msgraph", Feed: "direct_routing", History: time.Since(idsBegin) + 100*time.Hour,
			Lookback: 72 * time.Hour,
		},
		Fingerprint: fingerprint,
	}
	feed, err := l.Feed(b.Context(), spec)
	require.NoError(b, err)
	i := &idLedger{
		ledger: l, feed: feed, rng: rand.New(rand.NewPCG(1, 2)), page: make([]*cdr.Record, 1000),
		perDay: amount(b, "CDR_BENCH_PER_DAY", 1_000_000),
	}
	for k := range i.page {
		i.page[k] = new(cdr.Record)
	}
	return i
}

// fill makes the n-th page: calls of some minutes, their ids random, one in ten up
// to three days late.
func (i *idLedger) fill(n int) {
	i.at = idsBegin.Add(72*time.Hour + time.Duration(n)*(24*time.Hour*1000/time.Duration(i.perDay)))
	for k, r := range i.page {
		r.Reset()
		var id [16]byte
		binary.LittleEndian.PutUint64(id[:], i.rng.Uint64())
		binary.LittleEndian.PutUint64(id[8:], i.rng.Uint64())
		r.ID = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
		r.CallID = r.ID
		r.Start = i.at.Add(-time.Duration(i.rng.IntN(300)) * time.Second)
		if k%10 == 0 {
			r.Start = i.at.Add(-time.Duration(i.rng.IntN(72*3600)) * time.Second)
		}
		r.Invite, r.Duration, r.End = r.Start.Add(-2*time.Second), time.Minute, r.Start.Add(time.Minute)
		r.Direction, r.CallType, r.Outcome = cdr.Direction(1+k%2), "byot_in", cdr.Outcome(1+k%9)
		r.Trunk, r.SIPCode, r.SubCode = "sbc"+string('0'+rune(k%5))+".example.com", cdr.KnownInt(0),
			cdr.KnownInt(540000)
		r.CallerNumber, r.CalleeNumber = "+15550100001", "+4930123456"
		r.UserID, r.UserName, r.UserPrincipal = "db03c14b-06eb-4189-939b-7cbf3a20ba27", "Some User",
			"some.user@contoso.example"
		r.MediaLocation, r.SignalLocation, r.MediaBypass, r.Country, r.ReasonPhrase = "USWE", "EUNO", cdr.True, "DE",
			"BYE"
	}
}

// commit commits the page in hand and delivers the batch three back, as a receiver
// that keeps up does.
func (i *idLedger) commit(tb testing.TB, n int) {
	result, err := i.feed.Commit(tb.Context(),
		&counting.Page{Records: i.page, ObservedAt: i.at, Position: &counting.Position{Watermark: i.at}})
	if err != nil || result.New != len(i.page) {
		tb.Fatalf("commit page %d: %+v, %v", n, result, err)
	}
	if n < 3 {
		return
	}
	batch, err := i.ledger.Logs().Next(tb.Context(), 0)
	if err != nil || batch == nil {
		tb.Fatalf("outbox: %v, %v", batch, err)
	}
	require.NoError(tb, i.ledger.Logs().Ack(tb.Context(), batch.ID))
}

// BenchmarkLedger fills a ledger with ten million remembered ids (CDR_BENCH_IDS), a million calls a
// day (CDR_BENCH_PER_DAY), in durable commits of real records with log records in the outbox. It
// kills a process that writes to it, and opens it again. Nothing is pruned: six days of calls are
// as many ids as a feed with a lookback of 72 hours remembers. It takes minutes: run it by name.
func BenchmarkLedger(b *testing.B) {
	byName(b)
	folder := b.TempDir()
	i := openIDs(b, folder, "")
	pages := amount(b, "CDR_BENCH_IDS", 10_000_000) / len(i.page)
	for n := range pages {
		if n%1000 == 0 {
			fmt.Fprintf(os.Stderr, "%2d million ids: %s\n", n/1000, i.million(b, n)) // at once: all of them take long
		}
	}
	size, err := i.ledger.Size()
	require.NoError(b, err)
	b.ReportMetric(float64(size)/float64(pages*len(i.page)), "B/id")
	b.ReportMetric(peakRSS(b, os.Getpid()), "peak-MB")
	require.NoError(b, i.ledger.Close())
	killWriter(b, folder)
	began := time.Now()
	i = openIDs(b, folder, "")
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "reopen-ms")
	if got := i.feed.State().Calls; got < uint64(pages*len(i.page)) || got%uint64(len(i.page)) != 0 {
		b.Fatalf("%d records after kill -9: want whole pages, all that were committed before", got)
	}
	require.NoError(b, i.ledger.Close())
}

// byName leaves a benchmark that takes minutes out, unless -bench has its name.
func byName(b *testing.B) {
	if !strings.Contains(strings.Join(os.Args, " "), b.Name()) {
		b.Skip("takes minutes; run it with -bench " + b.Name()) //nolint:forbidigo // this isn't a skipped test
	}
}

// million commits a thousand pages and says how fast, the making of the records
// left out.
func (i *idLedger) million(b *testing.B, from int) string {
	var wall, used time.Duration
	for n := from; n < from+1000; n++ {
		i.fill(n)
		began, cpuBegan := time.Now(), cpu(b)
		i.commit(b, n)
		wall, used = wall+time.Since(began), used+cpu(b)-cpuBegan
	}
	b.ReportMetric(1e6/used.Seconds(), fmt.Sprintf("rows/cpu-s-at-%dM", from/1000+1))
	return fmt.Sprintf("%.0f rows/s, %.0f rows per CPU second", 1e6/wall.Seconds(), 1e6/used.Seconds())
}

// killWriter starts a child that commits to the ledger and kills it in the middle.
func killWriter(b *testing.B, folder string) {
	self, err := os.Executable()
	require.NoError(b, err)
	child := exec.CommandContext(b.Context(), self)
	child.Env = append(os.Environ(), childFolder+"="+folder)
	out, err := child.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, child.Start())
	var committed string
	for committed != "20" { // some pages are in
		if _, err := fmt.Fscan(out, &committed); err != nil {
			b.Fatalf("the child has ended: %v", err)
		}
	}
	require.NoError(b, child.Process.Kill())
	_ = child.Wait() // it was killed
}

// commitForEver is the child.
func commitForEver(folder string) {
	result := testing.Benchmark(func(b *testing.B) {
		i := openIDs(b, folder, "")
		i.rng = rand.New(rand.NewPCG(3, uint64(os.Getpid())))
		for n := 10_000; ; n++ {
			i.fill(n)
			i.commit(b, n)
			fmt.Fprintln(os.Stdout, n-10_000)
		}
	})
	fmt.Fprintln(os.Stderr, "ended:", result)
}
