package counting

import "time"

// What is known lies in buckets, the column bucket of the table blocks:
//
//	above 0  records, by the hour of the call's start
//	below 0  records and facts that aren't found by an hour, by four days
//
// The legs of a call start at different times, and so do the calls of a recording. So counted calls,
// links and recordings lie in buckets of four days, and a search also covers the nearer neighbour:
// it finds a fact from at least bucketReach away, whichever came first.
//
// All records and facts of a feed that is read by arrival (Rules.ByArrival) lie there too, by the
// time at which they were read. They are found in every bucket that isn't forgotten.
//
// The records of a feed whose starts move (Rules.Grows, counting.md 15) lie there too, with
// their sessions, by the start that they were first seen with. They are found in every bucket that
// isn't forgotten: until the floor is bucketReach and two hours past its end. By then a start that
// has moved by as much lies below the floor too; it moves within its call, and Teams ends a meeting
// after 30 hours.

const (
	// BucketSeconds is the length of a bucket below 0, in seconds.
	BucketSeconds = 4 * 24 * 3600
	bucketReach   = BucketSeconds / 2 * time.Second
)

// HourBucket is the bucket of the records that start in the hour of start. Feeds whose records are
// found anywhere (Rules.FoundAnywhere) use other buckets.
func HourBucket(start time.Time) int64 { return start.Unix() / 3600 }

// neighbour is the adjacent hour if the start is within 15 minutes of it, since the record may have
// been first seen with a start there (counting.md 15); else the start's own hour.
func neighbour(start time.Time) int64 {
	hour, second := HourBucket(start), start.Unix()%3600
	switch {
	case second < 900:
		return hour - 1
	case second >= 2700:
		return hour + 1
	}
	return hour
}

// bucketOf is the bucket of four days in which a start lies.
func bucketOf(start time.Time) int64 { return -(start.Unix() / BucketSeconds) }

func nearBucket(start time.Time) int64 {
	if start.Unix()%BucketSeconds < BucketSeconds/2 {
		return bucketOf(start) + 1
	}
	return bucketOf(start) - 1
}

// LastBucket is the oldest bucket below 0 that is still searched: bucketReach before the floor, and
// two hours more for starts that moved.
func LastBucket(floor time.Time) int64 { return bucketOf(floor.Add(-bucketReach - 2*time.Hour)) }

// IsForgotten says whether no key in a bucket can be looked up any more. Ids are kept an hour longer,
// because a start may have moved by minutes.
func IsForgotten(bucket int64, floor time.Time) bool {
	if bucket > 0 {
		return bucket <= HourBucket(floor)-2
	}
	return bucket > LastBucket(floor)
}

// BucketStart is when a bucket begins, and whether it is an hour.
func BucketStart(bucket int64) (start time.Time, hour bool) {
	return time.Unix(max(3600*bucket, -BucketSeconds*bucket), 0).UTC(), bucket > 0
}

// MayHold says whether a bucket may have records that start in a range.
func (r *Rules) MayHold(bucket int64, from, to time.Time) bool {
	start, isHour := BucketStart(bucket)
	end := start.Add(time.Hour)
	if !isHour {
		end = start.Add(BucketSeconds * time.Second)
	}
	return isHour != r.FoundAnywhere() && (r.ByArrival || start.Before(to) && end.After(from))
}

// bucketFor is where a new record with that start is remembered.
func (d *Decision) bucketFor(start time.Time) int64 {
	if d.settings.FoundAnywhere() {
		return d.factBucket(start)
	}
	return HourBucket(start)
}

// factBucket is where a new fact of a record with that start is remembered.
func (d *Decision) factBucket(start time.Time) int64 {
	if d.settings.ByArrival {
		at := d.page.ObservedAt
		if least := d.was.Floor.Add(d.settings.KeepsIDs()); at.Before(least) {
			at = least // a clock that is behind must not have it forgotten before its time
		}
		return bucketOf(at)
	}
	return bucketOf(start)
}

// recordBuckets are where a record with that start may be known: its hour, and the one within 15
// minutes; or anywhere if starts move or go by arrival.
func (d *Decision) recordBuckets(start time.Time) []int64 {
	if d.settings.FoundAnywhere() {
		return nil
	}
	hour, near := HourBucket(start), neighbour(start)
	if near == hour {
		return d.someBuckets(hour)
	}
	return d.someBuckets(hour, near)
}

// factBuckets are where a fact of a record with that start may lie.
func (d *Decision) factBuckets(start time.Time) []int64 {
	if d.settings.ByArrival {
		return nil
	}
	return d.someBuckets(bucketOf(start), nearBucket(start))
}

// someBuckets are buckets in the memory of the decision.
func (d *Decision) someBuckets(some ...int64) []int64 {
	at := len(d.buckets)
	d.buckets = append(d.buckets, some...)
	return d.buckets[at:len(d.buckets):len(d.buckets)]
}
