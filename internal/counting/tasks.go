package counting

import "time"

// namedAgain is how soon a task that was set aside is tried when a list names it again: later than with each list.
const namedAgain = time.Hour

// decideTasks changes the feed's pending work with the page (counting.md 4).
func (d *Decision) decideTasks() {
	waiting := make(map[TaskKey]*Task)
	find := func(key TaskKey) *Task {
		if w, decided := waiting[key]; decided {
			return w
		}
		if w, known := d.known.Tasks[key]; known {
			return &w
		}
		return nil
	}
	remove := func(w *Task) {
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
}

// namesVersion says whether a task reads one version of a record.
func (d *Decision) namesVersion(w *Task) bool {
	return d.settings.TaskVersions && w.Kind == TaskRecord && w.Version != 0
}

// versionIsKnown says whether a task would read a version of a record that is known after the page, or an older one.
func (d *Decision) versionIsKnown(w *Task) bool {
	if !d.namesVersion(w) {
		return false
	}
	st := d.states[d.hasher.RecordHash(w.Key)]
	var k known
	return st != nil && !d.failed(k.parse(st.Data)) && k.version >= w.Version
}

// Enqueued merges a task with the one that waits under its key, nil if none does. It returns the task that waits then, whether that wasn't
// waiting before, and whether anything changes. The same version again, for instance from a list, doesn't make a retry due earlier. A task that
// was set aside stays so and is tried soon, unless the new version is greater: then it starts over (counting.md 32).
func (w *Task) Enqueued(was *Task) (next Task, queued, changed bool) {
	next = *w
	switch {
	case was == nil:
		return next, !next.SetAside, true
	case w.Version < was.Version:
		return *was, false, false
	case w.Version > was.Version || w.SetAside:
	case was.SetAside:
		next.SetAside, next.Due, next.Problem = true, w.Due.Add(namedAgain), was.Problem
		if was.Due.Before(next.Due) {
			next.Due = was.Due
		}
	case w.Attempts < was.Attempts:
		return *was, false, false
	}
	return next, was.SetAside && !next.SetAside, true
}
