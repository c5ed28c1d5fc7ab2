package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// storedDef is a metric's definition as the ledger keeps it.
type storedDef struct{ metric, kind, labels, bounds string }

func defOf(d *metrics.Def) storedDef {
	var labels []string
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	var bounds []string
	for _, b := range d.Bounds {
		bounds = append(bounds, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return storedDef{d.Name, d.Kind.String(), strings.Join(labels, ","), strings.Join(bounds, ",")}
}

// checkCatalogue compares the catalogue with the one that the ledger was written
// with, and carries out what was declared to have changed (counting.md 23).
func (l *Ledger) checkCatalogue(ctx context.Context) error {
	stored, err := l.storedCatalogue()
	if err != nil {
		return err
	}
	var problems []error
	var changed []storedDef
	for _, d := range metrics.Catalogue() {
		now := defOf(d)
		was, known := stored[d.Name]
		if known && was == now {
			continue
		}
		if known && !slices.Contains(d.Declared, metrics.Change{Kind: was.kind, Labels: was.labels, Bounds: was.bounds}) {
			problems = append(problems, fmt.Errorf("the ledger has metric %s as %s(%s)[%s], this program as %s(%s)[%s], and no change was declared: run the program that wrote the ledger",
				d.Name, was.kind, was.labels, was.bounds, now.kind, now.labels, now.bounds))
			continue
		}
		changed = append(changed, now)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	if len(changed) == 0 {
		return nil
	}
	return l.commit(ctx, &l.root, change{write: func() error { return l.writeCatalogue(stored, changed) }})
}

func (l *Ledger) storedCatalogue() (map[string]storedDef, error) {
	rows, err := l.engine.query(`SELECT metric, kind, labels, bounds FROM catalogue`)
	if err != nil {
		return nil, err
	}
	all := make(map[string]storedDef)
	return all, scanAll(rows, func() error {
		var s storedDef
		if err := rows.Scan(&s.metric, &s.kind, &s.labels, &s.bounds); err != nil {
			return err
		}
		all[s.metric] = s
		return nil
	})
}

func (l *Ledger) writeCatalogue(stored map[string]storedDef, changed []storedDef) error {
	for _, now := range changed {
		if was, known := stored[now.metric]; known {
			if err := l.convert(was, now); err != nil {
				return fmt.Errorf("convert metric %s: %w", now.metric, err)
			}
		}
		if _, err := l.engine.exec(`INSERT INTO catalogue (metric, kind, labels, bounds) VALUES (?, ?, ?, ?)
			ON CONFLICT (metric) DO UPDATE SET kind = excluded.kind, labels = excluded.labels, bounds = excluded.bounds`,
			now.metric, now.kind, now.labels, now.bounds); err != nil {
			return err
		}
	}
	return nil
}

// convert brings a metric's series to its new definition: changed bounds or
// another kind are a reset of that one metric; an added label is empty on old
// series, a removed one sums them.
func (l *Ledger) convert(was, now storedDef) error {
	e := l.engine
	if was.kind != now.kind || was.bounds != now.bounds {
		_, err := e.exec(`DELETE FROM series WHERE metric = ?`, now.metric)
		return err
	}
	groups, err := l.relabelled(was, now)
	if err != nil {
		return err
	}
	if _, err := e.exec(`DELETE FROM series WHERE metric = ?`, now.metric); err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := e.exec(`INSERT INTO series (feed, metric, labels, start, shown, value) VALUES (?, ?, ?, ?, ?, ?)`,
			g.feed, now.metric, g.labels, g.start, g.shown, g.value); err != nil {
			return err
		}
	}
	return nil
}
