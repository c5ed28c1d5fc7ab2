package golden

import (
	"slices"
	"strings"
	"testing"
)

// Case is a part of a file of cases, from one line `-- NAME --` to the next.
type Case struct {
	Name  string
	Lines []string // without results
	said  map[int][]string
}

// Say adds a result below a line.
func (c *Case) Say(line int, result string) {
	for text := range strings.SplitSeq(result, "\n") {
		c.said[line] = append(c.said[line], strings.TrimRight("> "+text, " "))
	}
}

// Cases plays the cases of a file and compares what they say with the lines that begin with ">". The text before
// the first case is a comment.
func Cases(t *testing.T, path string, play func(t *testing.T, c *Case)) {
	t.Helper()
	head, body, _ := strings.Cut(Read(t, path), "\n-- ")
	all := []string{head}
	for text := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n-- ") {
		lines := strings.Split(text, "\n")
		want := lines[1:]
		c := &Case{Name: strings.TrimSuffix(lines[0], " --"), said: make(map[int][]string)}
		for _, line := range want {
			if line != ">" && !strings.HasPrefix(line, "> ") {
				c.Lines = append(c.Lines, line)
			}
		}
		got := want // of a case that isn't run
		t.Run(c.Name, func(t *testing.T) {
			play(t, c)
			got = nil
			for i, line := range c.Lines {
				got = append(append(got, line), c.said[i]...)
			}
			if !*update && !slices.Equal(got, want) {
				t.Errorf("%s: got\n%s\nwant\n%s\nIf that is intended, run the test with -update.", path,
					strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
		all = append(all, c.Name+" --\n"+strings.Join(got, "\n"))
	}
	if *update {
		File(t, path, []byte(strings.Join(all, "\n-- ")+"\n"))
	}
}
