package ledger

import (
	"database/sql"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// definitionOf is a metric's definition as the ledger keeps it.
func definitionOf(d *metrics.Def) string {
	var labels []string
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	return fmt.Sprint(d.Kind, labels, d.Bounds)
}

// compareDefinitions finds the metrics of which the ledger has no definition, and those of which it has another one.
func (l *Ledger) compareDefinitions() (missing, changed []*metrics.Def, err error) {
	stored := make(map[string]string)
	err = l.engine.ScanAll(`SELECT metric, definition FROM catalogue`, nil, func(rows *sql.Rows) error {
		var metric, definition string
		err := rows.Scan(&metric, &definition)
		stored[metric] = definition
		return err
	})
	for _, d := range metrics.Catalogue() {
		if was, known := stored[d.Name]; !known {
			missing = append(missing, d)
		} else if was != definitionOf(d) {
			changed = append(changed, d)
		}
	}
	return missing, changed, err
}

// compareCatalogue notices that another version of the program has changed definitions meanwhile,
// with a new epoch of each feed: what was loaded before it is called is of these definitions, or
// its commits are refused.
func (l *Ledger) compareCatalogue() error {
	if l.identity.Load() == nil || !l.Shared() {
		return nil
	}
	_, changed, err := l.compareDefinitions()
	if err == nil && len(changed) > 0 {
		err = l.setReplaced("another version of the program has changed metric " + changed[0].Name + " in it")
	}
	return err
}

// checkCatalogue compares the catalogue with the ledger's. A metric whose definition changed starts
// with new series (counting.md 23).
func (l *Ledger) checkCatalogue() error {
	missing, changed, err := l.compareDefinitions()
	if err != nil {
		return err
	}
	for _, d := range changed {
		// A replica of another version still counts into the old series: with the new epoch its
		// commits are refused.
		if _, err := l.engine.Exec(`UPDATE feeds SET epoch = epoch + 1 WHERE id > 0`); err != nil {
			return err
		}
		if _, err := l.engine.Exec(`DELETE FROM series WHERE metric = ?`, d.Name); err != nil {
			return err
		}
	}
	for _, d := range append(missing, changed...) {
		if _, err := l.engine.Exec(`INSERT INTO catalogue (metric, definition) VALUES (?, ?)
			ON CONFLICT (metric) DO UPDATE SET definition = excluded.definition`, d.Name, definitionOf(d)); err != nil {
			return err
		}
	}
	return nil
}
