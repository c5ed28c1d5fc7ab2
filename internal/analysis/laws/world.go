package laws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/files"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
)

// world is the provider of a run.
type world interface {
	http.RoundTripper
	// block are the keys of the source's block by which the provider is found.
	block() map[string]any
	// show makes the rows of the run the ones that the provider has.
	show() error
	// close removes what lies outside of the run's folder.
	close() error
}

// newWorld makes the provider of a run, with a folder for its files.
func (r *run) newWorld(path string) world {
	switch {
	case r.definition.HTTP != nil:
		return &server{run: r}
	case r.feed.Lines() != nil && !r.script.posted:
		return &folder{run: r, path: path, written: make(map[*row]bool)}
	case r.definition.SQL != nil:
		return &database{run: r, tables: r.newTables(path)}
	}
	return &poster{run: r, posted: make(map[*row]bool)}
}

// offline is a world that isn't asked over HTTP.
type offline struct{}

// RoundTrip implements http.RoundTripper.
func (offline) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network in a test")
}

func (offline) close() error { return nil }

// folder has files that another program writes.
type folder struct {
	offline
	*run

	path    string
	written map[*row]bool
	files   int
	rest    string // of a line that comes in two halves
	copied  bool
}

func (f *folder) block() map[string]any {
	return map[string]any{"paths": []string{filepath.Join(f.path, "*")}}
}

// show writes the rows that are new: to the end of a file that grows, or to a new file. In the end it copies the files.
func (f *folder) show() error {
	var texts []string
	for _, r := range f.shown {
		if !f.written[r] {
			f.written[r] = true
			texts = append(texts, r.text)
		}
	}
	name, text := "rows", f.rest
	f.rest = ""
	if len(texts) > 0 {
		all := f.document(texts)
		if f.feed.Lines().Read == files.ReadWhole {
			name = fmt.Sprintf("%04d", f.files)
		} else if f.feed.Format == rows.FormatCSV && f.files > 0 && !f.script.headed {
			l := f.layout()
			all = lines(l.lines(texts))
		}
		f.files++
		text += all
	}
	if half := len(text) / 2; f.script.torn && half > 0 {
		text, f.rest, f.script.torn = text[:half], text[half:], false
	}
	var err error
	if text != "" {
		err = f.write(name, text)
	}
	if f.settles && f.script.copied && !f.copied {
		f.copied = true
		err = errors.Join(err, f.copyFiles())
	}
	return err
}

// write appends to a file, which then has the time of the script.
func (f *folder) write(name, text string) error {
	file := filepath.Join(f.path, name)
	opened, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = opened.WriteString(text)
	return errors.Join(err, opened.Close(), os.Chtimes(file, f.now(), f.now()))
}

// copyFiles makes a copy of each file under another name.
func (f *folder) copyFiles() error {
	files, err := filepath.Glob(filepath.Join(f.path, "*"))
	for _, file := range files {
		err = errors.Join(err, copyFile(file+".1", file), os.Chtimes(file+".1", f.now(), f.now()))
	}
	return err
}

// poster is a system that posts its records, again until they are taken.
type poster struct {
	offline
	*run

	posted map[*row]bool
}

func (*poster) block() map[string]any { return map[string]any{"insecure_http": "true"} }

func (p *poster) show() error {
	for _, r := range p.shown {
		if p.posted[r] {
			continue
		}
		for range map[bool]int{false: 1, true: 2}[p.script.twice] {
			text := r.text
			if len(p.feed.Rows) > 0 {
				text = p.document([]string{text})
			}
			status, says := p.post(text)
			p.posted[r] = status == http.StatusNoContent
			if status != http.StatusNoContent && status != http.StatusServiceUnavailable {
				p.wrong = append(p.wrong, fmt.Sprintf("%s was answered with %d: %s", r.name, status, says))
			}
		}
	}
	return nil
}

// post posts a record.
func (p *poster) post(text string) (status int, says string) {
	media := map[string]string{"xml": "application/xml"}[p.definition.Push.Format]
	if p.tests.Field != "" {
		media, text = "application/x-www-form-urlencoded", url.Values{p.tests.Field: {text}}.Encode()
	}
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/push/test",
		strings.NewReader(text))
	request.Header.Set("Content-Type", media)
	request.Header.Set("Authorization", "Bearer "+p.secrets["token"])
	answer := httptest.NewRecorder()
	p.hook.ServeHTTP(answer, request)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}
