package laws

import "testing"

// TestPut: a place is created, replaced or taken away; elements of a list keep their places.
func TestPut(t *testing.T) {
	for _, c := range []struct {
		name, doc string
		steps     []string
		value     any
		want      string
	}{
		{"a member that isn't there", `{"a":1}`, []string{"b", "c"}, 2, `{"a":1,"b":{"c":2}}`},
		{"an element that isn't there", `{}`, []string{"a", "1"}, 2, `{"a":[null,2]}`},
		{"a member is taken away", `{"a":1,"b":2}`, []string{"a"}, missing{}, `{"b":2}`},
		{"an element is taken away", `[1,2]`, []string{"0"}, missing{}, `[null,2]`},
		{"a number that is a name", `{}`, []string{"a", "4711"}, 2, `{"a":{"4711":2}}`},
		{"the whole", `{}`, nil, 2, `2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var doc any
			if err := decode(c.doc, &doc); err != nil {
				t.Fatal(err)
			}
			if got := encode(put(doc, c.steps, c.value)); got != c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}
