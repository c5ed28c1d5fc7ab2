package ledger

import "time"

// What is known lies in buckets, the column bucket of the table blocks:
//
//	above 0  records, by the hour of the call's start
//	below 0  records and facts that aren't found by an hour, by four days
//
// A session's views, a record's children and a recording's calls each start at another time, so groups, children and recordings lie in
// buckets of four days, and the nearer neighbour is looked at too: a fact is found from at least bucketReach away, whichever came first.
//
// So do the records of a feed whose starts move (FeedSpec.Hourless, counting.md 15), with their sessions, by the start that they were first
// seen with. They are found in every bucket that isn't forgotten: until the floor is bucketReach and two hours past its end. By then a start
// that has moved by as much lies below the floor too; it moves within its call, and Teams ends a meeting after 30 hours.

const (
	bucketSeconds = 4 * 24 * 3600
	bucketReach   = bucketSeconds / 2 * time.Second
)

func hourOf(start time.Time) int64 { return start.Unix() / 3600 }

// neighbour is the other hour that a start within 15 minutes of it may have had when it was first seen (counting.md 15), else its own.
func neighbour(start time.Time) int64 {
	hour, second := hourOf(start), start.Unix()%3600
	switch {
	case second < 900:
		return hour - 1
	case second >= 2700:
		return hour + 1
	}
	return hour
}

// bucketOf is the bucket of four days in which a start lies.
func bucketOf(start time.Time) int64 { return -(start.Unix() / bucketSeconds) }

func nearBucket(start time.Time) int64 {
	if start.Unix()%bucketSeconds < bucketSeconds/2 {
		return bucketOf(start) + 1
	}
	return bucketOf(start) - 1
}

// lastBucket is the oldest bucket that may still be looked in: from a start at the floor bucketReach back, and a little more for what moved.
func lastBucket(floor time.Time) int64 { return bucketOf(floor.Add(-bucketReach - 2*time.Hour)) }

// isForgotten says whether nothing in a bucket is looked for any more. Ids are kept an hour longer: a start may have moved by minutes.
func isForgotten(bucket int64, floor time.Time) bool {
	if bucket > 0 {
		return bucket <= hourOf(floor)-2
	}
	return bucket > lastBucket(floor)
}

// bucketFor is where a new record with that start is remembered.
func (f *Feed) bucketFor(start time.Time) int64 {
	if f.spec.Hourless {
		return bucketOf(start)
	}
	return hourOf(start)
}
