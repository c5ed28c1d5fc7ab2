package wavix

import (
	"context"
	"errors"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// errEnough ends a probe that has seen rows.
var errEnough = errors.New("enough was read")

// probe reads one call of today, in the format that is configured.
func (l *callLog) probe(ctx context.Context) (rows int, err error) {
	r := l.newReading()
	q := query{Day: l.now().UTC().Truncate(dayLength), Kind: l.kinds[0]}
	r.batch.open(q.Day.Add(-maxRange), func(b *collector.Page) error {
		rows += len(b.Records) + len(b.Invalid)
		return errEnough // an export may go on with the whole day
	})
	r.batch.query(q)
	switch l.format {
	case formatStream:
		err = r.export(ctx, q.paged(1, 1), nil)
	case formatCSV:
		_, err = r.csvRows(ctx, q, 1, 1)
	default:
		_, err = r.jsonPage(ctx, q, 1, 1)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return 0, fmt.Errorf("read a call: %w", err)
	}
	return rows + len(r.batch.kin.release()), nil
}
