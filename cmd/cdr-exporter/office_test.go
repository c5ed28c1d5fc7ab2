package main_test

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// callLog is the feed of RingCentral and of Wavix.
const callLog = "call_log"

// unlimited is more requests than a test makes. It is within what a client believes.
const unlimited = 10_000

// accessToken is how RingCentral's access tokens begin.
const accessToken = "U0pDMTFQMDFQQVMwMHx"

// office is a RingCentral account as one source reads it.
type office struct {
	*rcsim.Server
	name, scope string
	world       *simulator.World
	// CallLog and ActiveCalls are the feeds' settings.
	CallLog, ActiveCalls string
	visits               bool // visits to queues are read
}

// newOffice starts a RingCentral account, whose company log is the world in the
// settings. Its requests aren't limited unless the settings say how.
func newOffice(t testing.TB, at *site, s rcsim.Settings) *office {
	t.Helper()
	s.ClientSecret = cmp.Or(s.ClientSecret, secretFor(t, "hush-rc"))
	s.Heavy, s.Auth = cmp.Or(s.Heavy, unlimited), cmp.Or(s.Auth, unlimited)
	server, err := rcsim.Start(s)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	o := &office{
		Server: server, name: "acme", scope: "account", world: s.Account,
		CallLog: "interval: 1s, lookback: 48h", ActiveCalls: "{interval: 1s}",
	}
	for _, w := range []*simulator.World{s.Account, s.Extension} {
		if w != nil {
			at.vault.hidePeople(w.Mix())
		}
	}
	at.keep("ringcentral-secret", server.ClientSecret)
	at.keep("ringcentral-jwt", server.JWT())
	require.NoError(t, server.WriteCA(at.path("ringcentral-ca.pem")))
	return o
}

// desk is the log of the JWT's own user, read by a separate source.
func (o *office) desk(world *simulator.World) *office {
	own := *o
	own.name, own.scope, own.world = "desk", "extension", world
	own.CallLog += ", settle: 2s, whole_after: 48h"
	return &own
}

func (o *office) source() string   { return o.name }
func (o *office) feeds() []string  { return []string{callLog} }
func (o *office) server() provider { return o.Server }

func (o *office) tables(_ string, at ...time.Time) tables {
	t := o.world.Totals(simulator.View{At: at, Queues: o.visits})
	if o.visits {
		maps.Copy(t.Metrics, rcsim.Visits(o.world, at[len(at)-1]))
	}
	return t.Metrics
}

func (o *office) tally(_ string, at ...time.Time) tally {
	return tallyOf(o.world, at...)
}

func (o *office) active(at time.Time) map[cdr.Direction]int {
	if o.ActiveCalls == "" {
		return nil
	}
	if o.scope == "extension" {
		return o.Extension.Active(at.Add(-rcsim.ActiveLag))
	}
	return o.Account.Active(at.Add(-rcsim.ActiveLag))
}

func (o *office) item() string {
	return fmt.Sprintf(`  - name: %s
    history: 72h
    tls_config: {ca_file: ringcentral-ca.pem}
    ringcentral:
      base_url: %s
      client_id: %s
      client_secret_file: ringcentral-secret
      jwt_file: ringcentral-jwt
      scope: %s
%s`, o.name, o.BaseURL(), rcsim.ClientID, o.scope,
		feedLines("call_log", "{"+o.CallLog+"}", "active_calls", o.ActiveCalls))
}

// feedLines are the feeds of a source in the configuration: names and settings; those
// with empty settings are left out.
func feedLines(feeds ...string) string {
	lines := ""
	for i := 0; i < len(feeds); i += 2 {
		if feeds[i+1] != "" {
			lines += fmt.Sprintf("      %s: %s\n", feeds[i], feeds[i+1])
		}
	}
	return lines
}

func (o *office) answered() int {
	return answers(o.Requests(), rcsim.EndpointCallLog)
}

// answers is how many requests to these endpoints were answered.
func answers(r *simulator.Recorder, endpoints ...string) int {
	n := 0
	for _, endpoint := range endpoints {
		for status, count := range r.Count(endpoint) {
			if status != 0 {
				n += count
			}
		}
	}
	return n
}

// logged returns settings for a RingCentral call log.
func logged(s simulator.Settings) simulator.Settings {
	l := rcsim.Historical(s.Seed, s.Mix, s.From, s.To, s.Calls)
	l.Delays, l.Revised = s.Delays, s.Revised
	return l
}

// unfoldingLog is unfolding for rows that are in progress at first.
func unfoldingLog(seed uint64, mix *simulator.Mix, rows int) simulator.Settings {
	now := time.Now()
	return rcsim.Historical(seed, mix, now.Add(-34*time.Hour), now.Add(-26*time.Hour), rows)
}

// tallyOf are the row counts of a world that was read at these instants.
func tallyOf(w *simulator.World, at ...time.Time) tally {
	t := view(w, at...)
	ignored := 0
	for _, n := range t.Ignored {
		ignored += n
	}
	return tally{
		records: t.Records, calls: t.Sessions, revised: changes(w, at...), invalid: t.Invalid,
		ignored: ignored,
	}
}

// recorded are the recordings in JSON lines of calls, by their ids.
func recorded(t *testing.T, lines string) map[string]map[string]any {
	t.Helper()
	all := make(map[string]map[string]any)
	for _, object := range objects(t, lines) {
		list, _ := object["recordings"].([]any)
		for _, one := range list {
			r, _ := one.(map[string]any)
			key, _ := r["id"].(string)
			all[key] = r
		}
	}
	return all
}

// TestRecordsWithRecordings: --recordings asks once for each recording of what it prints, never for
// its content. Without the permission for recordings, each one is reported with a remedy, and the calls
// are printed.
func TestRecordsWithRecordings(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	now := time.Now()
	o := newOffice(t, at, rcsim.Settings{Account: simulator.NewWorld(
		rcsim.Historical(121, rcsim.Mix(), now.Add(-70*time.Hour), now.Add(-50*time.Hour), 150))})
	config := at.configureSources(settings{}, o.item())
	run := func(more ...string) (map[string]map[string]any, *exporter) {
		x := at.over(config, now.Add(-72*time.Hour), now, append([]string{
			"records", "--source=" + o.name, "--feed=call_log", "--output=jsonl",
		}, more...)...)
		return recorded(t, x.out.String()), x
	}
	lengths := make(map[float64]int) // of the recordings
	recordings := 0
	eachCall(o.world, o.Now(), func(_ *simulator.Call, v *simulator.Version) {
		if v.Recorded {
			recordings++
			lengths[v.Duration.Truncate(time.Second).Seconds()]++
		}
	})
	asked := func() int { return answers(o.Requests(), rcsim.EndpointRecording) }
	if got, _ := run(); len(got) != 0 || asked() != 0 {
		t.Errorf("without the flag %d recordings are printed, %d asked for", len(got), asked())
	}
	got, x := run("--recordings")
	if len(got) != recordings || recordings == 0 || asked() != recordings {
		t.Errorf("%d recordings are printed and %d asked for, want %d", len(got), asked(), recordings)
	}
	if strings.Contains(x.out.String(), "media.") {
		t.Error("where the content is, is printed")
	}
	for id, r := range got {
		length, _ := r["duration_seconds"].(float64)
		if lengths[length]--; lengths[length] < 0 || r["content_type"] != "audio/mpeg" ||
			r["type"] != "automatic" && r["type"] != "on_demand" {
			t.Errorf("recording %s is %v", id, r)
		}
	}

	o.SetPermissions(rcsim.ReadCallLog, rcsim.FullCompanyCallLog)
	got, x = run("--recordings")
	if len(got) != recordings || !strings.Contains(x.log.String(), "ReadCallRecording") {
		t.Errorf("without the permission %d recordings are printed, want %d: %s", len(got), recordings, x.log)
	}
	for id, r := range got {
		if r["content_type"] != nil || r["duration_seconds"] != nil || r["type"] == nil ||
			lineWith(x.log.String(), id) == "" {
			t.Errorf("recording %s is %v, or isn't reported", id, r)
		}
	}
}

// TestRingCentralQueues: visits to queues that legs tell of are counted once, by the queue's name, over
// a kill, and calls are the same as without them.
func TestRingCentralQueues(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	queues := newOffice(t, at, rcsim.Settings{Account: simulator.NewWorld(unfoldingLog(202, rcsim.Mix(), 500))})
	queues.CallLog += ", queues: true"
	queues.visits = true
	seen := []time.Time{queues.Pause()}
	config := at.configureSources(settings{}, queues.item())
	for range 2 {
		x := start(t, at.vault, launch{config: config}).ready()
		for range 2 {
			x.counts(queues, seen...)
			queues.Advance(12 * time.Hour)
			seen = append(seen, queues.Visible())
		}
		x.kill()
	}
	x := start(t, at.vault, launch{config: config}).ready()
	x.counts(queues, seen...)
	x.stop()
}
