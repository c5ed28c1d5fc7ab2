package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// definitionOf is a metric's definition as the ledger keeps it.
func definitionOf(d *metrics.Def) metrics.Change {
	labels := make([]string, len(d.Labels))
	for i, l := range d.Labels {
		labels[i] = l.Name
	}
	bounds := make([]string, len(d.Bounds))
	for i, b := range d.Bounds {
		bounds[i] = strconv.FormatFloat(b, 'g', -1, 64)
	}
	return metrics.Change{Kind: d.Kind.String(), Labels: strings.Join(labels, ","), Bounds: strings.Join(bounds, ",")}
}

// checkCatalogue compares the catalogue with the one that the ledger was written with, and
// carries out the changes that were declared (counting.md 23).
func (l *Ledger) checkCatalogue(ctx context.Context) error {
	stored, err := l.storedCatalogue()
	if err != nil {
		return err
	}
	var changed []*metrics.Def
	for _, d := range metrics.Catalogue() {
		was, known := stored[d.Name]
		now := definitionOf(d)
		if known && was == now {
			continue
		}
		if known && !slices.Contains(d.Declared, was) {
			return fmt.Errorf("the ledger has metric %s as %s(%s)[%s], this program as %s(%s)[%s], and no change was declared: run the program that wrote the ledger",
				d.Name, was.Kind, was.Labels, was.Bounds, now.Kind, now.Labels, now.Bounds)
		}
		changed = append(changed, d)
	}
	if len(changed) == 0 {
		return nil
	}
	return l.commit(ctx, &l.root, change{write: func() error {
		for _, d := range changed {
			if was, known := stored[d.Name]; known {
				if err := l.convertSeries(d, was); err != nil {
					return fmt.Errorf("convert metric %s: %w", d.Name, err)
				}
			}
			now := definitionOf(d)
			if _, err := l.engine.exec(`INSERT INTO catalogue (metric, kind, labels, bounds) VALUES (?, ?, ?, ?)
				ON CONFLICT (metric) DO UPDATE SET kind = excluded.kind, labels = excluded.labels, bounds = excluded.bounds`,
				d.Name, now.Kind, now.Labels, now.Bounds); err != nil {
				return err
			}
		}
		return nil
	}})
}

func (l *Ledger) storedCatalogue() (map[string]metrics.Change, error) {
	rows, err := l.engine.query(`SELECT metric, kind, labels, bounds FROM catalogue`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]metrics.Change)
	return all, scanAll(rows, func() error {
		var metric string
		var c metrics.Change
		if err := rows.Scan(&metric, &c.Kind, &c.Labels, &c.Bounds); err != nil {
			return err
		}
		all[metric] = c
		return nil
	})
}

// storedSeries is a row of the table series.
type storedSeries struct {
	feed, start, shown int64
	labels, value      string
}

// convertSeries brings a metric's series to its new definition: changed bounds or another
// kind are a reset of that one metric; an added label is empty on old series, a removed
// one sums them.
func (l *Ledger) convertSeries(d *metrics.Def, was metrics.Change) error {
	var kept []*storedSeries
	if now := definitionOf(d); was.Kind == now.Kind && was.Bounds == now.Bounds {
		var err error
		if kept, err = l.relabelledSeries(d, splitList(was.Labels), splitList(now.Labels)); err != nil {
			return err
		}
	}
	if _, err := l.engine.exec(`DELETE FROM series WHERE metric = ?`, d.Name); err != nil {
		return err
	}
	for _, s := range kept {
		if _, err := l.engine.exec(`INSERT INTO series (feed, metric, labels, start, shown, value) VALUES (?, ?, ?, ?, ?, ?)`,
			s.feed, d.Name, s.labels, s.start, s.shown, s.value); err != nil {
			return err
		}
	}
	return nil
}

// relabelledSeries are a metric's series under its new labels. Those that fall together
// are summed; the earliest start and the less shown win.
func (l *Ledger) relabelledSeries(d *metrics.Def, was, now []string) ([]*storedSeries, error) {
	rows, err := l.engine.query(`SELECT feed, labels, start, shown, value FROM series WHERE metric = ? ORDER BY id`, d.Name)
	if err != nil {
		return nil, err
	}
	var all []*storedSeries
	return all, scanAll(rows, func() error {
		var s storedSeries
		if err := rows.Scan(&s.feed, &s.labels, &s.start, &s.shown, &s.value); err != nil {
			return err
		}
		var values []string
		if err := json.Unmarshal([]byte(s.labels), &values); err != nil || len(values) != len(was) {
			return errRow
		}
		moved := make([]string, len(now))
		for i, name := range now {
			if k := slices.Index(was, name); k >= 0 {
				moved[i] = values[k]
			}
		}
		s.labels = labelsText(moved)
		same := slices.IndexFunc(all, func(o *storedSeries) bool { return o.feed == s.feed && o.labels == s.labels })
		if same < 0 {
			all = append(all, &s)
			return nil
		}
		o := all[same]
		o.start, o.shown = min(o.start, s.start), min(o.shown, s.shown)
		o.value, err = metrics.SumStored(d, o.value, s.value)
		return err
	})
}

func splitList(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
