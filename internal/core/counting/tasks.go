package counting

import (
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// decideTasks changes the feed's pending work with the page (counting.md 4).
func (d *Decision) decideTasks() {
	waiting := make(map[TaskKey]*work.Item)
	find := func(key TaskKey) *work.Item {
		if w, decided := waiting[key]; decided {
			return w
		}
		if w, known := d.known.Tasks[key]; known {
			return &w
		}
		return nil
	}
	remove := func(w *work.Item) {
		key := TaskKey{w.Kind, w.Key}
		if was := find(key); was != nil && was.Version <= w.Version {
			waiting[key] = nil
			d.change.DoneTasks = append(d.change.DoneTasks, *w)
		}
	}
	for i := range d.page.Done {
		remove(&d.page.Done[i])
	}
	for i := range d.page.Enqueue {
		w := &d.page.Enqueue[i]
		if d.versionIsKnown(w) {
			remove(w) // nor is it needed if it waits already
			continue
		}
		key := TaskKey{w.Kind, w.Key}
		if next, queued, changed := w.Enqueued(find(key)); changed {
			waiting[key] = &next
			d.change.PutTasks = append(d.change.PutTasks, next)
			d.change.Result.Queued += int(boolByte(queued))
		}
	}
	d.change.State.Spans = work.Spans(d.change.State.Spans, d.change.DoneTasks, d.change.PutTasks)
}

// namesVersion says whether a task reads one version of a record.
func (d *Decision) namesVersion(w *work.Item) bool {
	return d.settings.Grows && w.Kind == work.Record && w.Version != 0
}

// versionIsKnown says whether a task would read a version of a record that is known after the page, or an older one.
func (d *Decision) versionIsKnown(w *work.Item) bool {
	if !d.namesVersion(w) {
		return false
	}
	st := d.states[d.hasher.RecordHash(w.Key)]
	var counted rememberedRecord
	return st != nil && !d.failed(counted.parse(st.Data)) && counted.version >= w.Version
}
