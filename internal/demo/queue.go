package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	// queuePause is the time between two callers who join a queue, and queueLongest how long one waits at most.
	queuePause   = 7 * time.Second
	queueLongest = 2 * time.Minute
)

// queueRows are the lines of Asterisk's queue_log of the callers who left a queue after from, up to to.
func queueRows(from, to time.Time) string {
	var rows strings.Builder
	for n := max(0, int64(from.Add(-queueLongest).Sub(begin)/queuePause)); ; n++ {
		joined := begin.Add(time.Duration(n) * queuePause)
		if joined.After(to) {
			return rows.String()
		}
		if row, left := queueVisit(n, joined); left.After(from) && !left.After(to) {
			rows.WriteString(row)
		}
	}
}

// queueVisit is the line of the n-th caller, the same in every run: most reach an agent, some hang up, few wait as long as the queue allows.
func queueVisit(n int64, joined time.Time) (row string, left time.Time) {
	random := rand.New(rand.NewPCG(uint64(n), 9))
	queue := []string{"support", "support", "sales"}[random.IntN(3)]
	wait := 2 + random.IntN(40)
	var event string
	switch draw := random.IntN(100); {
	case draw < 88:
		event = fmt.Sprintf("PJSIP/%d|CONNECT|%d|%d.1|3", 101+random.IntN(20), wait, n)
	case draw < 97:
		wait += 20
		event = fmt.Sprintf("NONE|ABANDON|1|2|%d", wait)
	default:
		wait = int(queueLongest / time.Second)
		event = fmt.Sprintf("NONE|EXITWITHTIMEOUT|1|2|%d", wait)
	}
	left = joined.Add(time.Duration(wait) * time.Second)
	return fmt.Sprintf("%d|%d.%d|%s|%s\n", left.Unix(), joined.Unix(), n, queue, event), left
}
