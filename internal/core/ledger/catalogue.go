package ledger

import (
	"database/sql"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// definition is a metric's definition as the ledger keeps it: labels and bounds are joined by commas.
type definition struct{ kind, labels, bounds string }

func definitionOf(d *metrics.Def) definition {
	var labels, bounds []string
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	for _, b := range d.Bounds {
		bounds = append(bounds, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return definition{d.Kind.String(), strings.Join(labels, ","), strings.Join(bounds, ",")}
}

// readCatalogue reads the ledger's definitions, by metric.
func readCatalogue(e *engine.Session) (map[string]definition, error) {
	stored := make(map[string]definition)
	err := e.ScanAll(`SELECT metric, kind, labels, bounds FROM catalogue`, nil, func(rows *sql.Rows) error {
		var metric string
		var c definition
		err := rows.Scan(&metric, &c.kind, &c.labels, &c.bounds)
		stored[metric] = c
		return err
	})
	return stored, err
}

// compareCatalogue notices that another version of the program has changed definitions meanwhile,
// with a new epoch of each feed: what was loaded before it is called is of these definitions, or
// its commits are refused.
func (l *Ledger) compareCatalogue() error {
	if l.identity.Load() == nil || !l.Shared() {
		return nil
	}
	stored, err := readCatalogue(&l.engine.Session)
	if err != nil {
		return err
	}
	for _, d := range metrics.Catalogue() {
		if was, known := stored[d.Name]; known && was != definitionOf(d) {
			return l.setReplaced("another version of the program has changed metric " + d.Name + " in it")
		}
	}
	return nil
}

// checkCatalogue compares the catalogue with the ledger's. A metric whose definition changed starts
// with new series (counting.md 23).
func (l *Ledger) checkCatalogue() error {
	stored, err := readCatalogue(&l.engine.Session)
	if err != nil {
		return err
	}
	for _, d := range metrics.Catalogue() {
		was, known := stored[d.Name]
		now := definitionOf(d)
		if was == now {
			continue
		}
		if known {
			// A replica of another version still counts into the old series: with the new epoch its
			// commits are refused.
			if _, err := l.engine.Exec(`UPDATE feeds SET epoch = epoch + 1 WHERE id > 0`); err != nil {
				return err
			}
			if _, err := l.engine.Exec(`DELETE FROM series WHERE metric = ?`, d.Name); err != nil {
				return err
			}
		}
		if _, err := l.engine.Exec(`INSERT INTO catalogue (metric, kind, labels, bounds) VALUES (?, ?, ?, ?)
			ON CONFLICT (metric) DO UPDATE SET kind = excluded.kind, labels = excluded.labels, bounds =
			excluded.bounds`,
			d.Name, now.kind, now.labels, now.bounds); err != nil {
			return err
		}
	}
	return nil
}
