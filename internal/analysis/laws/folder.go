package laws

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database of tests
)

// offline refuses requests: nothing is asked over the network.
type offline struct{}

// RoundTrip implements http.RoundTripper.
func (offline) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network in a test")
}

// folder has files that another program writes.
type folder struct {
	offline

	bench   *bench
	path    string
	written map[*row]bool
	files   int
	torn    bool // a line comes in two halves
	rest    string
}

func (f *folder) block() map[string]any {
	return map[string]any{"paths": []string{filepath.Join(f.path, "*")}}
}

// show writes the rows that are new: to the end of a file that grows, or to a new file.
func (f *folder) show(rows []*row, now time.Time) error {
	var texts []string
	for _, r := range rows {
		if !f.written[r] {
			f.written[r] = true
			texts = append(texts, r.text)
		}
	}
	how := f.bench.feed.Lines()
	if how.Read == "whole" {
		if len(texts) == 0 {
			return nil
		}
		f.files++
		return f.write(fmt.Sprintf("%04d", f.files), f.bench.document(texts), now)
	}
	all := f.rest
	f.rest = ""
	if f.bench.feed.Format == "csv" {
		if texts = f.bench.csv(texts); f.files > 0 && len(texts) > 0 {
			texts = texts[f.bench.heading():]
		}
	}
	if len(texts) == 0 && all == "" {
		return nil
	}
	f.files++
	all += lines(texts)
	if f.torn {
		half := len(all) / 2
		all, f.rest, f.torn = all[:half], all[half:], false
	}
	return f.write("rows", all, now)
}

// write appends to a file, which then has the time of the script.
func (f *folder) write(name, text string, now time.Time) error {
	file := filepath.Join(f.path, name)
	opened, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = opened.WriteString(text)
	return errors.Join(err, opened.Close(), os.Chtimes(file, now, now))
}

// copies makes a copy of each file under another name.
func (f *folder) copies(now time.Time) error {
	files, err := filepath.Glob(filepath.Join(f.path, "*"))
	for _, file := range files {
		err = errors.Join(err, copyFile(file+".1", file), os.Chtimes(file+".1", now, now))
	}
	return err
}

// document is a file that is written once.
func (b *bench) document(texts []string) string {
	switch b.feed.Format {
	case "csv":
		return lines(b.csv(texts))
	case "xml":
		all := lines(texts)
		for i := len(b.feed.Rows) - 2; i >= 0; i-- {
			all = "<" + b.feed.Rows[i] + ">\n" + all + "</" + b.feed.Rows[i] + ">"
		}
		if len(b.feed.Rows) == 1 && len(texts) != 1 {
			all = "<kit>\n" + all + "</kit>"
		}
		return all
	case "json":
		if len(b.feed.Rows) > 0 {
			document := "[" + strings.Join(texts, ",") + "]"
			for _, name := range slices.Backward(b.feed.Rows) {
				document = `{"` + name + `":` + document + "}"
			}
			return document
		}
	}
	return lines(texts)
}

// database has the tables of tests. Its rows are statements.
type database struct {
	offline

	path string
	done map[*row]bool
}

func (d *database) file() string { return filepath.Join(d.path, "kit.db") }

func (d *database) block() map[string]any { return map[string]any{"dsn": d.file()} }

func (d *database) show(rows []*row, _ time.Time) (err error) {
	db, err := sql.Open("sqlite", "file:"+d.file())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, r := range rows {
		if d.done[r] {
			continue
		}
		d.done[r] = true
		if _, err := db.ExecContext(context.Background(), r.text); err != nil {
			return fmt.Errorf("tests.tables: %w", err)
		}
	}
	return nil
}

// statements are those of SQL, each by itself.
func statements(text string) (all []string) {
	var quote byte
	begin := 0
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ';':
			all = append(all, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	if rest := strings.TrimSpace(text[begin:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

// poster is a system that posts its records, again until they are taken.
type poster struct {
	offline

	bench  *bench
	hook   http.Handler
	posted map[*row]bool
	twice  bool
	wrong  []string
}

func (p *poster) block() map[string]any { return map[string]any{"insecure_http": "true"} }

func (p *poster) show(rows []*row, _ time.Time) error {
	for _, r := range rows {
		if p.posted[r] {
			continue
		}
		for range map[bool]int{false: 1, true: 2}[p.twice] {
			status, says := p.post(r.text, true)
			p.posted[r] = status == http.StatusNoContent
			if status != http.StatusNoContent && status != http.StatusServiceUnavailable {
				p.wrong = append(p.wrong, fmt.Sprintf("%s was answered with %d: %s", r.name, status, says))
			}
		}
	}
	return nil
}

// post posts a record.
func (p *poster) post(text string, withToken bool) (status int, says string) {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/push/test",
		bytes.NewReader([]byte(text)))
	request.Header.Set("Content-Type", map[string]string{"xml": "application/xml"}[p.bench.definition.Push.Format])
	if withToken {
		request.Header.Set("Authorization", "Bearer "+p.bench.secretOf("token"))
	}
	answer := httptest.NewRecorder()
	p.hook.ServeHTTP(answer, request)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}
