package callrecords

import (
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	record1 = "e523d2ed-2966-4b6b-925b-754a88034cc5"
	record2 = "e523d2ed-2966-4b6b-925b-754a88034cc6"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

type answer = providertest.Answer

// recordsOf reads call records from a fake.
func recordsOf(t *testing.T, g *providertest.Script) *Records {
	t.Helper()
	return recordsBy(g.Client(t, graph.Quote))
}

func recordsBy(client *httpclient.Client) *Records {
	return &Records{
		client: client, sizes: recordSizes, largeOnes: semaphore.NewWeighted(1),
		mapper: mapper{countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers(nil)},
		settle: 90 * time.Minute, now: time.Now,
	}
}
