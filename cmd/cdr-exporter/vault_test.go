package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// vault knows what must appear nowhere (guarantee 9): credentials, and what is
// personal in a tenant's calls, as the default policy has it. It is safe for
// concurrent use.
type vault struct {
	t testing.TB

	mu       sync.Mutex
	texts    map[string]string // what each text is
	prefixes []prefix
	found    map[string]bool // reported already
}

// prefix is how numbers begin, without their plus, and how long they are.
type prefix struct {
	digits string
	length int
}

// hiddenDigits is how many digits the default policy masks.
const hiddenDigits = 4

func newVault(t testing.TB) *vault {
	return &vault{t: t, found: make(map[string]bool), texts: map[string]string{
		"eyJhbGci":  "a signed assertion", // {"alg" in base64
		"eyJhdWQi":  "an access token",    // {"aud"
		"eyJraWQi":  "a signed token",     // {"kid"
		accessToken: "an access token",
	}}
}

// hide adds a text.
func (v *vault) hide(what, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.texts[text] = what
}

// hidePeople adds the people of a world's calls.
func (v *vault) hidePeople(m *simulator.Mix) {
	v.hide("a caller's name", "Example Clinic")
	for _, u := range m.Users {
		v.hide("a user's name", u.Name)
		if at := strings.IndexByte(u.Principal, '@'); at >= 0 { // else an extension's number
			v.hide("a user principal name", u.Principal[at:])
		}
		// whole: eight of its digits turn up in a pseudonym of 32 hex digits now and then
		v.hide("a user's id", u.ID)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range append(slices.Clone(m.Prefixes), m.Own) {
		digits := strings.TrimPrefix(p.Digits, "+")
		// worlds share them
		if hidden := (prefix{digits, len(digits) + p.Random}); !slices.Contains(v.prefixes, hidden) {
			v.prefixes = append(v.prefixes, hidden)
		}
	}
}

// search fails the test, once for each finding, if a text holds a secret.
func (v *vault) search(where string, text []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for secret, what := range v.texts {
		if at := bytes.Index(text, []byte(secret)); at >= 0 {
			v.report(where, what, text, at, at+len(secret))
		}
	}
	for _, p := range v.prefixes {
		p.each(text, func(from, to int) { v.report(where, "a phone number", text, from, to) })
	}
}

// each calls f for every number of the prefix of which more can be read than the mask
// leaves. A number stands by itself, or behind a plus: then more digits may follow. A
// sum in the ledger is nanoseconds: 33.199 s are the digits of a number. It ends with six
// zeros where durations are milliseconds, as one number in a million does.
func (p prefix) each(text []byte, f func(from, to int)) {
	visible := p.digits[:min(len(p.digits), p.length-hiddenDigits)]
	for next := 0; ; {
		at := bytes.Index(text[next:], []byte(visible))
		if at < 0 {
			return
		}
		from := next + at
		next = from + 1
		to := from
		for to < len(text) && isNumberByte(text[to]) {
			to++
		}
		plus := from > 0 && text[from-1] == '+'
		inside := from > 0 && isNumberByte(text[from-1]) || bytes.HasSuffix(text[:from], []byte(`"sum":`)) ||
			!plus && bytes.HasSuffix(text[from:to], []byte("000000"))
		if inside || to-from < p.length || to-from > p.length && !plus || !p.begins(text[from:to]) {
			continue
		}
		if bytes.Count(text[from+p.length-hiddenDigits:from+p.length], []byte("*")) < hiddenDigits {
			f(from, to)
		}
	}
}

func isNumberByte(c byte) bool { return '0' <= c && c <= '9' || c == '*' }

// begins says whether a number begins with the prefix, of which the last digits may
// be masked.
func (p prefix) begins(number []byte) bool {
	for i := range p.digits {
		if c := number[i]; c != p.digits[i] && (c != '*' || i < p.length-hiddenDigits) {
			return false
		}
	}
	return true
}

func (v *vault) report(where, what string, text []byte, from, to int) {
	if key := where + what; !v.found[key] {
		v.found[key] = true
		v.t.Errorf("%s holds %s: …%q…", where, what, text[max(0, from-60):min(len(text), to+20)])
	}
}

// searchFolder searches every file of a folder, such as the ledger's.
func (v *vault) searchFolder(folder string) {
	v.t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		v.search("the file "+filepath.Base(name), data)
		return nil
	})
	if err != nil {
		v.t.Errorf("search the ledger's files: %v", err)
	}
}

// searchOutbox searches the log records that wait in a ledger, which are packed. No
// process may have it; afterwards they are gone.
func (v *vault) searchOutbox(folder string) {
	v.t.Helper()
	ctx := context.Background()
	l, err := ledger.Open(ctx, ledger.Settings{Storage: ledger.Storage{Folder: folder}, Now: time.Now})
	if err != nil {
		v.t.Errorf("open the ledger to look into its outbox: %v", err)
		return
	}
	defer func() {
		if err := l.Close(); err != nil {
			v.t.Errorf("close the ledger: %v", err)
		}
	}()
	for {
		batch, err := l.Logs().Next(ctx, 0)
		if err == nil && batch == nil {
			return
		}
		if err == nil {
			v.search("the outbox", batch.Data)
			err = l.Logs().Ack(ctx, batch.ID)
		}
		if err != nil {
			v.t.Errorf("look into the outbox: %v", err)
			return
		}
	}
}

// TestVaultFindsSecrets shows that the search that all tests rely on can fail.
func TestVaultFindsSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		found bool
	}{
		"nothing":              {"level=INFO msg=hello 1763627000123456", false},
		"secret":               {"client_secret=hunter2hunter2", true},
		"token":                {"Authorization: Bearer eyJhdWQiOiJodHRwcz", true},
		"number":               {"caller +14255550123 called", true},
		"number without plus":  {"caller 14255550123 called", true},
		"number and more":      {"+142555501234", true},
		"in a longer number":   {"9914255550123", false},
		"in a string":          {`"sums":"14255550123"`, true},
		"a sum":                {`"sum":14255550123`, false},
		"seconds":              {"\x0033199000000i", false},
		"number of its digits": {"\x0033199000001i", true},
		"masked":               {"+1425555****", false},
		"masked too little":    {"+14255550***", true},
		"name":                 {"Alex Example", true},
		"principal":            {"alex@contoso.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := &recorder{TB: t}
			v := newVault(recorder)
			v.hide("a secret", "hunter2hunter2")
			v.hidePeople(&simulator.Mix{
				Users:    []simulator.User{{ID: "5a5a-0001", Principal: "a@contoso.example", Name: "Alex Example"}},
				Prefixes: []simulator.Prefix{{Digits: "+142555501", Random: 2}, {Digits: "+33199", Random: 6}},
				Own:      simulator.Prefix{Digits: "+120655501", Random: 2},
			})
			v.search("here", []byte(c.text))
			if found := len(recorder.errors) > 0; found != c.found {
				t.Errorf("found %v, want %v: %q", found, c.found, recorder.errors)
			}
		})
	}
}

// recorder takes the errors of a vault that is tested.
type recorder struct {
	testing.TB
	errors []string
}

// Errorf implements testing.TB.
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
