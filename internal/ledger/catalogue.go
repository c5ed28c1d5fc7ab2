package ledger

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// definitionOf is a metric's definition as the ledger keeps it.
func definitionOf(d *metrics.Def) metrics.Change {
	var labels, bounds []string
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	for _, b := range d.Bounds {
		bounds = append(bounds, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return metrics.Change{Kind: d.Kind.String(), Labels: strings.Join(labels, ","), Bounds: strings.Join(bounds, ",")}
}

// catalogue are the ledger's definitions, by metric.
func (e *engine) catalogue() (map[string]metrics.Change, error) {
	stored := make(map[string]metrics.Change)
	err := e.ScanAll(`SELECT metric, kind, labels, bounds FROM catalogue`, nil, func(rows *sql.Rows) error {
		var metric string
		var c metrics.Change
		err := rows.Scan(&metric, &c.Kind, &c.Labels, &c.Bounds)
		stored[metric] = c
		return err
	})
	return stored, err
}

// compareCatalogue notices that another version of the program has changed definitions meanwhile, with a new epoch of each feed: what was loaded
// before it is called is of these definitions, or its commits are refused.
func (l *Ledger) compareCatalogue() error {
	if l.mark.Load() == nil || !l.Shared() {
		return nil
	}
	stored, err := l.engine.catalogue()
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

// checkCatalogue compares the catalogue with the ledger's, and carries out the changes that were declared (counting.md 23).
func (l *Ledger) checkCatalogue() error {
	stored, err := l.engine.catalogue()
	if err != nil {
		return err
	}
	for _, d := range metrics.Catalogue() {
		was, known := stored[d.Name]
		now := definitionOf(d)
		if known && was != now && !slices.Contains(d.Declared, was) {
			return fmt.Errorf("the ledger has metric %s as %+v, this program as %+v, and no change was declared: run the program that wrote the ledger", d.Name, was, now)
		}
		if was == now {
			continue
		}
		if known { // an older program that still counts would write to series that are gone: its commits are refused from here on
			if _, err := l.engine.Exec(`UPDATE feeds SET epoch = epoch + 1 WHERE id > 0`); err != nil {
				return err
			}
		}
		if err := l.convertSeries(d, was); err != nil {
			return fmt.Errorf("convert metric %s: %w", d.Name, err)
		}
		if _, err := l.engine.Exec(`INSERT INTO catalogue (metric, kind, labels, bounds) VALUES (?, ?, ?, ?)
			ON CONFLICT (metric) DO UPDATE SET kind = excluded.kind, labels = excluded.labels, bounds = excluded.bounds`,
			d.Name, now.Kind, now.Labels, now.Bounds); err != nil {
			return err
		}
	}
	return nil
}

// convertSeries brings a metric's series to its new definition, as metrics.Change says.
func (l *Ledger) convertSeries(d *metrics.Def, was metrics.Change) error {
	type seriesKey struct {
		feed   int64
		labels string
	}
	kept := make(map[seriesKey]metrics.Stored)
	if now := definitionOf(d); was.Kind == now.Kind && was.Bounds == now.Bounds {
		err := l.engine.ScanAll(`SELECT feed, labels, start, shown, value FROM series WHERE metric = ?`, []any{d.Name}, func(rows *sql.Rows) error {
			var key seriesKey
			var s metrics.Stored
			err := rows.Scan(&key.feed, &key.labels, asTime{&s.Start}, &s.Shown, &s.Value)
			if err != nil {
				return err
			}
			if key.labels, err = relabel(key.labels, was.Labels, now.Labels); err != nil {
				return err
			}
			if other, same := kept[key]; same {
				s, err = s.Plus(d, other)
			}
			kept[key] = s
			return err
		})
		if err != nil {
			return err
		}
	}
	if _, err := l.engine.Exec(`DELETE FROM series WHERE metric = ?`, d.Name); err != nil {
		return err
	}
	for key, s := range kept {
		if _, err := l.engine.Insert("series", seriesColumns, key.feed, d.Name, key.labels, micros(s.Start), flag(s.Shown), s.Value); err != nil {
			return err
		}
	}
	return nil
}

// relabel moves a series' label values from the labels that its metric had to those that it has, both joined by commas.
func relabel(text, was, now string) (string, error) {
	isComma := func(r rune) bool { return r == ',' }
	from, to := strings.FieldsFunc(was, isComma), strings.FieldsFunc(now, isComma)
	var values []string
	if err := json.Unmarshal([]byte(text), &values); err != nil || len(values) < len(from) || len(values) > len(from)+1 {
		return "", counting.ErrRow
	}
	moved := make([]string, len(to))
	for i, name := range to {
		if k := slices.Index(from, name); k >= 0 {
			moved[i] = values[k]
		}
	}
	return labelsText(append(moved, values[len(from):]...)), nil // the operator's labels stay
}
