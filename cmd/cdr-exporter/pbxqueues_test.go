package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pbxQueues writes the files of a FreeSWITCH and of a Cisco CUCM, in which callers visit queues.
type pbxQueues struct {
	folder  string
	rng     *rand.Rand
	files   int
	written map[[3]string]int // visits by source, queue and result
	calls   map[string]int    // by source, with those that visited no queue
}

// row writes one call's row. Every fifth call visits no queue.
func (q *pbxQueues) row(source string) string {
	id, start := fmt.Sprintf("%s-%d-%d", source, q.files, q.calls[source]), time.Now().Unix()-100
	q.calls[source]++
	visits := q.calls[source]%5 > 0
	result := []string{"answered", "abandoned", "timeout"}[q.rng.IntN(3)]
	queue := map[string]string{"fs": "support@default", "cisco": "7000"}[source]
	if visits {
		q.written[[3]string{source, queue, result}]++
	}
	if source == "fs" {
		text := fmt.Sprintf(`{"variables":{"uuid":%q,"direction":"inbound","start_epoch":"%d","answer_epoch":"%d","end_epoch":"%d","hangup_cause":"NORMAL_CLEARING"`, id, start, start+1, start+60)
		if visits {
			ends := map[string]string{
				"answered": `"cc_cause":"answered","cc_queue_answered_epoch":"%d"`, "abandoned": `"cc_cause":"cancel","cc_cancel_reason":"BREAK_OUT","cc_queue_canceled_epoch":"%d"`,
				"timeout": `"cc_cause":"cancel","cc_cancel_reason":"TIMEOUT","cc_queue_canceled_epoch":"%d"`,
			}
			text += fmt.Sprintf(`,"cc_side":"member","cc_queue":"support%%40default","cc_queue_joined_epoch":"%d",`+ends[result], start+1, start+13)
		}
		return text + "}}\n"
	}
	connected, redirect, cause := start+60, "0", 16
	switch result {
	case "timeout":
		redirect = "850"
	case "abandoned":
		connected, cause = 0, 0
	}
	queued := 1
	if !visits {
		queued, redirect = 0, "0"
	}
	return fmt.Sprintf("1,1,%d,%q,%d,%d,%d,%d,%d,%s,%q,12\n", q.calls[source], id, start, connected, start+90, cause, queued, redirect, queue)
}

// write writes a file of some rows for Cisco, and one file for each leg of FreeSWITCH. All have been quiet for a while.
func (q *pbxQueues) write() error {
	text := "cdrRecordType,globalCallID_callManagerId,globalCallID_callId,pkid,dateTimeOrigination,dateTimeConnect,dateTimeDisconnect,destCause_value,wasCallQueued," +
		"lastRedirectRedirectReason,huntPilotDN,totalWaitTimeInQueue\n" + strings.Repeat("INTEGER,", 11) + "INTEGER\n"
	for range 1 + q.rng.IntN(20) {
		text += q.row("cisco")
	}
	err := q.put("cisco", text)
	for range 1 + q.rng.IntN(5) {
		err = errors.Join(err, q.put("fs", q.row("fs")))
	}
	return err
}

// put makes a file appear as a whole.
func (q *pbxQueues) put(source, text string) error {
	q.files++
	name, quiet := filepath.Join(q.folder, fmt.Sprintf("%s-%d", source, q.files)), time.Now().Add(-time.Minute)
	return errors.Join(os.WriteFile(name+".part", []byte(text), 0o600), os.Chtimes(name+".part", quiet, quiet), os.Rename(name+".part", name+".cdr"))
}

// TestQueuesOfPBXsBetweenKills: FreeSWITCH and CUCM write files while the exporter is killed again and again; every visit and every call is counted once.
func TestQueuesOfPBXsBetweenKills(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "config.yaml")
	text := "storage: {path: ledger}\nmetrics: {zero_for: 0s}\nsources:\n  - name: fs\n    freeswitch: {paths: ['fs-*.cdr'], cdr: {interval: 1s}}\n" +
		"  - name: cisco\n    cucm: {paths: ['cisco-*.cdr'], cdr: {interval: 1s}}\n"
	q := &pbxQueues{folder: folder, rng: rand.New(rand.NewPCG(3, 1)), written: make(map[[3]string]int), calls: make(map[string]int)}
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), q.write()); err != nil {
		t.Fatal(err)
	}
	v := newVault(t)
	killWhileWriting(t, v, file, 3, 50*time.Millisecond, func(int) error { return q.write() }, func(shown families, kills int) bool {
		read := func(source string) float64 {
			return shown.sum("cdr_exporter_rows_total", "result=new", "source="+source)
		}
		return min(read("fs"), read("cisco")) >= float64(50+50*kills)
	})
	x := start(t, v, launch{config: file}).ready()
	eventually(t, "count every visit and call once", func() error {
		var errs []error
		scraped, all := x.scrape(), 0
		for visit, want := range q.written {
			all += want
			if got := scraped.sum("cdr_queue_calls_total", "source="+visit[0], "queue="+visit[1], "result="+visit[2]); got != float64(want) {
				errs = append(errs, fmt.Errorf("%g visits are %v, want %d", got, visit, want))
			}
		}
		for source, want := range q.calls {
			if got := scraped.sum("cdr_calls_total", "source="+source); got != float64(want) {
				errs = append(errs, fmt.Errorf("%g calls of %s, want %d", got, source, want))
			}
		}
		if got := scraped.sum("cdr_queue_calls_total"); got != float64(all) {
			errs = append(errs, fmt.Errorf("%g visits, want %d", got, all))
		}
		return errors.Join(errs...)
	})
	if invalid := x.scrape().sum("cdr_exporter_rows_total", "result=invalid"); invalid > 0 {
		t.Errorf("%g rows are invalid", invalid)
	}
	x.stop()
}
