package web

import (
	"context"
	"fmt"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// NameList is a list that is read before each span of a feed, and gives names for ids.
type NameList struct {
	// When is a condition on parameters; if it isn't fulfilled, the list isn't read.
	When    *language.Condition `yaml:"when"`
	Request Request             `yaml:"request"`
	Rows    language.RowsPath   `yaml:"rows"`
	Next    Next                `yaml:"next"`
	Ignore  *language.Condition `yaml:"ignore"`
	ID      language.Path       `yaml:"id"`
	Name    language.Path       `yaml:"name"`
	// Limit limits these requests, if the provider counts them apart.
	Limit *httpclient.Limit `yaml:"limit"`
}

// Validate implements config.Validator.
func (l *NameList) Validate(r *config.Report) {
	r.Required("request.path", l.Request.FirstPath(), "the path of the list")
	if l.ID == nil || l.Name == nil {
		r.Problemf("", "needs id and name, the paths of both in a row")
	}
}

// names reads the feed's lists of names whose condition holds.
func (r *reader) names(ctx context.Context) (map[string]map[string]string, error) {
	all := make(map[string]map[string]string)
	for name, l := range r.Names {
		if wanted, _ := l.When.Holds(&language.Row{Parameters: r.Parameters}); !wanted {
			continue
		}
		list := &reader{API: r.API, Feed: r.with(&List{
			Request: l.Request, Rows: l.Rows, Next: l.Next, Format: rows.FormatJSON,
		})}
		client, err := r.clientFor(r.Name+" "+name, l.Limit)
		if err != nil {
			return nil, err
		}
		if all[name], err = list.namesIn(ctx, client, name, l); err != nil {
			return nil, fmt.Errorf("read the list of %s: %w", name, err)
		}
	}
	return all, nil
}

func (r *reader) namesIn(
	ctx context.Context, client *httpclient.Client, name string, l *NameList,
) (map[string]string, error) {
	walk := new(walk)
	request := walk.start(r, piece{}, 0)
	request.Label = name
	found := make(map[string]string)
	for _, err := range client.Pages(ctx, request, maxPages, walk.decode) {
		if err != nil {
			return nil, err
		}
		for i := range walk.page.rows {
			if walk.page.rows[i].Problem == "" {
				l.AddName(found, walk.page.rows[i].Raw, r.Parameters)
			}
		}
	}
	return found, nil
}

// AddName adds the name that a row of the list, valid JSON, gives for an id.
func (l *NameList) AddName(names map[string]string, raw []byte, parameters map[string][]string) {
	row := &language.Row{Parameters: parameters}
	if !row.SetJSON(raw) {
		return
	}
	if ignored, _ := l.Ignore.Holds(row); l.Ignore != nil && ignored {
		return
	}
	if id, is := row.Text(l.ID); is == language.Single {
		names[id], _ = row.Text(l.Name)
	}
}
