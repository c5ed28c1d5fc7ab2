package sim

import "time"

// appendTime appends a UTC time as Graph writes them, in one of several styles:
// with milliseconds, with seven digits, with an offset instead of Z, or without a
// fraction where it is zero.
func appendTime(dst []byte, t time.Time, style int) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	milli := t.Nanosecond() / int(time.Millisecond)
	dst = append(dst, '"')
	dst = two(two(dst, year/100), year%100)
	dst = two(append(dst, '-'), int(month))
	dst = two(append(dst, '-'), day)
	dst = two(append(dst, 'T'), hour)
	dst = two(append(dst, ':'), minute)
	dst = two(append(dst, ':'), second)
	if milli != 0 || style%4 != 2 {
		dst = append(dst, '.', byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10))
	}
	switch style % 4 {
	case 1:
		return append(dst, `0000Z"`...)
	case 3:
		return append(dst, `+00:00"`...)
	default:
		return append(dst, `Z"`...)
	}
}

func two(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
