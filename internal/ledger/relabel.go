package ledger

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// relabelled is a series under a metric's new labels.
type relabelled struct {
	feed, start, shown int64
	labels, value      string
}

// relabelled reads a metric's series and puts them under its new labels; those
// that fall together are summed, the earliest start and the less shown winning.
func (l *Ledger) relabelled(was, now storedDef) ([]*relabelled, error) {
	rows, err := l.engine.query(`SELECT feed, labels, start, shown, value FROM series WHERE metric = ? ORDER BY id`, now.metric)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(metrics.Catalogue(), func(d *metrics.Def) bool { return d.Name == now.metric })
	def := metrics.Catalogue()[at]
	var all []*relabelled
	return all, scanAll(rows, func() error {
		var r relabelled
		if err := rows.Scan(&r.feed, &r.labels, &r.start, &r.shown, &r.value); err != nil {
			return err
		}
		if r.labels, err = moveLabels(r.labels, split(was.labels), split(now.labels)); err != nil {
			return err
		}
		for _, o := range all {
			if o.feed == r.feed && o.labels == r.labels {
				o.start, o.shown = min(o.start, r.start), min(o.shown, r.shown)
				o.value, err = metrics.SumStored(def, o.value, r.value)
				return err
			}
		}
		all = append(all, &r)
		return nil
	})
}

// moveLabels puts label values from one list of names to another.
func moveLabels(text string, was, now []string) (string, error) {
	var values []string
	if err := json.Unmarshal([]byte(text), &values); err != nil || len(values) != len(was) {
		return "", errRow
	}
	moved := make([]string, len(now))
	for i, name := range now {
		if k := slices.Index(was, name); k >= 0 {
			moved[i] = values[k]
		}
	}
	return labelsText(moved), nil
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
