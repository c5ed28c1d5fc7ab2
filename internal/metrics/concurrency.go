package metrics

import "time"

// How many calls of a trunk are connected at once is kept as the instants at which calls
// connect and end, by the minute, and as a number for all that lies before a first
// minute. So it is exact to the microsecond, whatever the order in which records come
// and whatever of them is revised, and what can't matter any more takes no room.

const (
	// maxEdges bounds what is kept of a feed: about a million calls, or fewer trunks and
	// minutes with less in them. Past it the oldest are given up, and nothing is shown
	// for an hour that they would be needed for.
	maxEdges     = 2_000_000
	minuteWeight = 8 // edges that a minute itself takes the room of

	hourMicros = 3600e6
)

// Span is when a call was connected, in microseconds since 1970, from Start up to but
// without End. Trunk is the number of its trunk, from 1.
type Span struct{ Trunk, Start, End int64 }

// MinuteOf is the minute since 1970 in which a time lies.
func MinuteOf(t time.Time) int64 { return floorMinute(t.UnixMicro()) }

func floorMinute(us int64) int64 {
	m := us / minuteMicros
	if us%minuteMicros < 0 {
		m--
	}
	return m
}

// concurrency is what is kept of a feed's connected calls. Store.mu guards list, and all
// that a reader needs of the trunks on it; the commit lock orders writers of all.
type concurrency struct {
	from   int64 // the first minute that is kept
	end    int64 // of the hour that is shown, in microseconds
	weight int
	limit  int
	byName map[string]*Trunk
	byID   map[int64]*Trunk
	list   []*Trunk
}

func newConcurrency() concurrency {
	return concurrency{limit: maxEdges, byName: make(map[string]*Trunk), byID: make(map[int64]*Trunk)}
}

// covered says whether all that the hour needs is kept.
func (c *concurrency) covered() bool { return c.end-hourMicros >= c.from*minuteMicros && c.from >= 0 }

// Trunk is what is kept of one trunk.
type Trunk struct {
	ID     int64
	Name   string
	labels *LabelSet
	stored bool // the ledger has its line

	before  int64 // calls that are connected as the first kept minute begins
	minutes map[int64]*minute
	peak    int64 // of the hour that is shown

	// The working copy of the commit under way.
	nextBefore int64
	touched    bool
}

// NextBefore is how many calls are connected as the first minute begins that is kept, as
// the commit under way leaves it.
func (t *Trunk) NextBefore() int64 { return t.nextBefore }

// highest is the most calls connected at once in the hour before end, which is covered.
func (t *Trunk) highest(from, end int64) int64 {
	begin := end - hourMicros
	first, last := floorMinute(begin), floorMinute(end)
	n := t.before
	for m := from; m < first; m++ {
		if one := t.minutes[m]; one != nil {
			n += one.sum
		}
	}
	if one := t.minutes[first]; one != nil {
		n += one.upTo(begin - first*minuteMicros)
	}
	most := n
	if one := t.minutes[first]; one != nil {
		n = one.walk(n, begin-first*minuteMicros, minuteMicros, &most)
	}
	for m := first + 1; m < last; m++ {
		if one := t.minutes[m]; one != nil {
			most = max(most, n+one.top)
			n += one.sum
		}
	}
	if one := t.minutes[last]; one != nil {
		one.walk(n, -1, end-last*minuteMicros, &most)
	}
	return most
}

// upTo sums the changes up to an instant, this one included.
func (m *minute) upTo(at int64) (n int64) {
	for _, e := range m.edges {
		if int64(e.at) <= at {
			n += int64(e.change)
		}
	}
	return n
}

// walk adds the changes after one instant and before another to n and tells the most that
// they come to.
func (m *minute) walk(n, after, before int64, most *int64) int64 {
	for _, e := range m.edges {
		if at := int64(e.at); at > after && at < before {
			n += int64(e.change)
			*most = max(*most, n)
		}
	}
	return n
}

// look finds the peaks of all trunks anew, or of those alone that the commit has changed.
func (c *concurrency) look(all bool) {
	if !c.covered() {
		return
	}
	for _, t := range c.list {
		if all || t.touched {
			t.peak = t.highest(c.from, c.end)
		}
	}
}

// points are the peaks, if they may be told.
func (c *concurrency) points(b *builder) {
	if !c.covered() {
		return
	}
	for _, t := range c.list {
		b.points[PeakConcurrency] = append(b.points[PeakConcurrency], Point{Labels: t.labels, Value: float64(t.peak)})
	}
}

// newTrunk makes a trunk of the feed.
func (f *FeedSeries) newTrunk(id int64, name string, before int64) *Trunk {
	return &Trunk{
		ID: id, Name: name, before: before, nextBefore: before, minutes: make(map[int64]*minute),
		labels: &LabelSet{Def: PeakConcurrency, Values: []string{f.source, f.provider, f.feed, name}},
	}
}

// LoadTrunk adds a trunk from the ledger.
func (s *Store) LoadTrunk(f *FeedSeries, id int64, name string, before int64) {
	t := f.newTrunk(id, name, before)
	t.stored = true
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &f.connected
	c.byName[name], c.byID[id] = t, t
	c.list = append(c.list, t)
}

// LoadMinute adds a minute of a trunk's calls from the ledger.
func (s *Store) LoadMinute(f *FeedSeries, trunk, at int64, data []byte) error {
	m, err := parseMinute(data)
	if err != nil {
		return err
	}
	t := f.connected.byID[trunk]
	if t == nil {
		return errMinute
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.minutes[at] = m
	f.connected.weight += m.weight()
	return nil
}

// Window says which minute is the first that is kept, and when the hour ends that is
// shown.
func (s *Store) Window(f *FeedSeries, from int64, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &f.connected
	c.from, c.end = from, end.UnixMicro()
	c.look(true)
}

// LimitConnected sets how many edges are kept of a feed; a million calls make maxEdges.
func (s *Store) LimitConnected(f *FeedSeries, edges int) { f.connected.limit = edges }
