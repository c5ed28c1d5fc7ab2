package ledger

import (
	"testing"
	"time"
)

// counting.md 21: a source is removed while a new series shows 0, and added again later: the 0 wasn't shown meanwhile.
func TestRule21ZeroForOfASourceThatIsAddedAgain(t *testing.T) {
	r := newRig(t)
	r.opts.ZeroFor = 2 * time.Minute
	r.reopen()
	r.live()
	r.records(call("a"))
	r.clock.add(time.Second)
	r.ledger.Hide(r.spec.Source, r.spec.Feed)
	r.clock.add(time.Hour)
	r.openFeed()
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "0"})
	r.clock.add(2 * time.Minute)
	r.show()
	wantValues(t, r.values(), map[string]string{answered: "1"})
}
