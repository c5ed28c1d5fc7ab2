package golden

import "testing"

func TestFill(t *testing.T) {
	const text = "a\n<!-- table: x -->\n\nold\n\n<!-- end of table -->\nb\n"
	got, err := fill(text, "x", "new\n")
	if want := "a\n<!-- table: x -->\n\nnew\n\n<!-- end of table -->\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := fill(text, "y", "new\n"); err == nil {
		t.Error("a table without a place must be an error")
	}
	if _, err := fill("<!-- table: x -->\n", "x", "new\n"); err == nil {
		t.Error("a table without an end must be an error")
	}
}
