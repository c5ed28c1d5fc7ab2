package providertest

import (
	"fmt"
	"strings"
	"testing"
)

// Advised wants words in the advice for an error that comes from a page. The advice is one line,
// without numbers of callers.
func Advised(t testing.TB, advise func(error) (what, todo string), err error, wantWhat, wantTodo string) {
	t.Helper()
	what, todo := advise(fmt.Errorf("read page 2: %w", err))
	if !strings.Contains(what, wantWhat) || !strings.Contains(todo, wantTodo) {
		t.Errorf("it says %q and %q, want %q and %q in it", what, todo, wantWhat, wantTodo)
	}
	if strings.Contains(what+todo, "\n") || strings.Contains(what+todo, "555") {
		t.Errorf("the advice isn't a line of our own: %q, %q", what, todo)
	}
}

// Refused wants the one problem of a configuration.
func Refused(t testing.TB, err error, problem string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), problem) {
		t.Errorf("problems %v, want one with %q", err, problem)
	}
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one problem: %v", err)
	}
}
