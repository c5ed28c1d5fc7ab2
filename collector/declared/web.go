package declared

import (
	"slices"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
)

// openHTTP prepares to ask an API for lists.
func (b *Block) openHTTP(source *collector.Source, settings *collector.SourceSettings) (feedOpener, error) {
	d := b.definition
	api, err := web.Open(&web.Settings{
		HTTP: d.HTTP, Account: language.Expand(d.Account, b.Values),
		Source: access.Source{
			Provider: d.Provider, Title: d.title(), BaseURL: b.BaseURL, Values: b.Values, Expand: b.expand,
			Secrets: b.requestSecrets(),
		},
		OtherWord: func(parameter string) string { return b.parameters[parameter].otherWord() },
	}, source, settings)
	if err != nil {
		return nil, err
	}
	return func(info *collector.FeedInfo, f *feed) {
		api.ReadFeed(info, &web.Feed{
			List: &f.List, Name: f.name, Parameters: f.settings.Parameters, Lookback: f.Lookback,
			MayLackIDs: f.WithoutID || !f.Record.ID.IsSet(), Zones: f.newMapper().zones,
			Start: append(f.Record.Start.Paths(), f.Record.End.Paths()...),
			NewMapper: func(each map[string]string, names map[string]map[string]string) rowmap.Mapper {
				m := f.newMapper()
				m.row.Each, m.row.Names = each, names
				return m
			},
		})
	}, nil
}

// requestSecrets are the secrets that queries and bodies of the block's feeds name, in braces.
func (b *Block) requestSecrets() (all []string) {
	for name := range b.Feeds {
		f := b.definition.Feeds[name]
		for _, secret := range f.Secrets() {
			all = append(all, "{"+secret+"}")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
