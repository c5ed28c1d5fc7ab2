package laws

import "testing"

// FuzzValues: each value lies within its statement and behind the one before, whatever a table and an INSERT are.
func FuzzValues(f *testing.F) {
	f.Add("CREATE TABLE calls (id INTEGER, at TEXT)", "INSERT INTO calls VALUES (1, '2026-11-20'), (2, 'it''s (')")
	f.Add("CREATE TABLE calls AS SELECT 1", "INSERT INTO calls VALUES (1)")
	f.Add("CREATE TABLE calls (cost DECIMAL(10, 4))", "INSERT INTO calls (cost) VALUES (round(1.5, 2))")
	f.Fuzz(func(t *testing.T, table, insert string) {
		b := &bench{setup: []*row{{text: table}}}
		end := 0
		for _, v := range b.valuesIn(insert) {
			if v.from < end || v.to <= v.from || v.to > len(insert) {
				t.Fatalf("%+v in %q", v, insert)
			}
			end = v.to
		}
	})
}
