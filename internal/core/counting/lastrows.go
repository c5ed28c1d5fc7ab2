package counting

import "iter"

// LastRow is the last decided row of a record.
type LastRow struct {
	// Record is the hash under which the record is remembered.
	Record Hash
	// RowHash is the row's of Page.RowHashes if the same row, coming again before any other of its
	// record, would change nothing; else 0.
	RowHash uint64
	// Changed says that the page changed what is remembered: the record is new, or revised.
	Changed bool
}

// LastRows yields the last row of each record of the page that is known now (counting.md 37). One
// record may come more often: its last row comes last.
func (d *Decision) LastRows() iter.Seq[LastRow] {
	return func(yield func(LastRow) bool) {
		for _, i := range d.order {
			st := d.findState(&d.entries[i])
			if st == nil {
				continue
			}
			last := LastRow{Record: st.Hash, Changed: st.kept}
			if d.canRepeat(&d.entries[i], st) {
				last.RowHash = d.page.RowHashes[i]
			}
			if !yield(last) {
				return
			}
		}
	}
}

// canRepeat says whether a row's bytes alone say what it means: neither time, nor other records,
// nor other keys have a part in it.
func (d *Decision) canRepeat(e *entry, st *storedState) bool {
	r := e.record
	return len(d.page.RowHashes) > 0 &&
		!r.Provisional && !d.settings.Grows && flagsOf(st.Data)&rowUntraced == 0 &&
		e.call == 0 && r.ID != "" && len(e.keys) == 1 && e.keys[0] == st.Hash
}
