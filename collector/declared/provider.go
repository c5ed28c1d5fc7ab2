package declared

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// NewProvider is the provider that a definition describes.
func NewProvider(d *Definition) collector.Provider {
	return collector.Provider{
		Name: d.Provider, Feeds: d.properties(),
		NewConfig: func() any { return newBlock(d) },
		Open: func(block any, settings collector.SourceSettings) (*collector.Source, error) {
			b, ok := block.(*Block)
			if !ok {
				return nil, fmt.Errorf("the configuration of %s is a %T", d.Provider, block)
			}
			return open(b, settings)
		},
	}
}

// properties are what the records of each feed can show, which follows from the fields that are given.
func (d *Definition) properties() (all []collector.FeedProperties) {
	for _, key := range slices.Sorted(maps.Keys(d.Feeds)) {
		f := d.Feeds[key]
		all = append(all, collector.FeedProperties{
			Name: key, Reasons: f.Record.givesReasons(), SIPCodes: f.Record.SIPCode.IsSet(), Visits: f.Record.QueueResult.IsSet(), NoCalls: f.countsVisits(),
		})
	}
	return all
}

// givesReasons says whether an outcome can say why a call didn't connect.
func (d *Record) givesReasons() bool {
	plain := []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.NotConnected, cdr.Unknown}
	return slices.ContainsFunc(d.Outcome.alternatives, func(a alternative) bool {
		for _, e := range a.Table {
			if !slices.Contains(plain, outcomeWords[e.Word]) {
				return true
			}
		}
		return a.codes != nil || a.Expr != nil || a.Is != nil && !slices.Contains(plain, outcomeWords[*a.Is])
	})
}

// way is how the feeds of a source are read.
type way interface {
	// describe says who the account is and what the errors of reading mean.
	describe(source *collector.Source)
	// read completes a feed's info with what reads it.
	read(info *collector.FeedInfo, f *feed) error
	// close lets go of what is open.
	close()
}

// feed is a feed that a source's block has.
type feed struct {
	*Feed
	FeedBlock

	name     string
	settings MapperSettings
}

// open makes a source of a valid block. It asks nothing of the network.
func open(b *Block, settings collector.SourceSettings) (*collector.Source, error) {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	settings.Logger = cmp.Or(settings.Logger, slog.New(slog.DiscardHandler))
	zone, err := b.zone()
	if err != nil {
		return nil, fmt.Errorf("time_zone: %w", err)
	}
	w, err := b.openWays(&settings)
	if err != nil {
		return nil, err
	}
	d := b.definition
	source := &collector.Source{Close: w.close, ThrottledUntil: func() time.Time { return time.Time{} }}
	w.describe(source)
	for _, properties := range d.properties() {
		keys, is := b.Feeds[properties.Name]
		if !is {
			continue
		}
		of := d.Feeds[properties.Name]
		info := collector.FeedInfo{
			Name: properties.Name, Properties: properties,
			Interval: keys.Interval, Lookback: keys.Lookback, LateAfter: keys.LateAfter,
			Fingerprint: strings.TrimSpace(cmp.Or(source.Account, d.Provider) + " " + properties.Name),
			Currency:    cmp.Or(expand(d.Currency, b.Values), "XXX"),
			Rules:       collector.Rules{Parents: of.Record.Parent.IsSet(), ChargesLater: len(of.Record.Charges) > 0},
		}
		f := &feed{Feed: &of, FeedBlock: keys, name: properties.Name, settings: MapperSettings{
			Parameters: b.Values, Zone: zone, EmergencyNumbers: settings.EmergencyNumbers,
		}}
		if err := w.read(&info, f); err != nil {
			w.close()
			return nil, err
		}
		source.Feeds = append(source.Feeds, info)
	}
	if len(source.Feeds) == 0 {
		w.close()
		return nil, errors.New("no feed is configured")
	}
	return source, nil
}

// openWays prepares the ways that the definition says and the source uses: push may stand beside files.
func (b *Block) openWays(settings *collector.SourceSettings) (all ways, err error) {
	for _, one := range []struct {
		used bool
		open func(*collector.SourceSettings) (way, error)
	}{
		{b.definition.HTTP != nil, b.openHTTP},
		{b.definition.SQL != nil, b.openSQL},
		{b.readsFiles(), b.openFiles},
		{b.pushes(), b.openPush},
	} {
		if !one.used {
			continue
		}
		w, err := one.open(settings)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, w)
	}
	if len(all) == 0 {
		return nil, errors.New("the source has nothing to be read from")
	}
	return all, nil
}

// ways are several ways to read the same feeds.
type ways []way

func (all ways) describe(source *collector.Source) {
	for _, w := range all {
		w.describe(source)
	}
}

func (all ways) read(info *collector.FeedInfo, f *feed) error {
	for _, w := range all {
		if err := w.read(info, f); err != nil {
			return err
		}
	}
	return nil
}

func (all ways) close() {
	for _, w := range all {
		w.close()
	}
}

// title is what the provider is called in messages.
func (d *Definition) title() string { return cmp.Or(d.Title, d.Provider) }

// SameAs says whether another block is the same: unlike the definition, its text can be compared.
func (b *Block) SameAs(other any) bool {
	o, ok := other.(*Block)
	return ok && b.Text == o.Text && b.BaseURL == o.BaseURL && reflect.DeepEqual(b.Feeds, o.Feeds) &&
		maps.EqualFunc(b.Values, o.Values, slices.Equal) && maps.EqualFunc(b.Secrets, o.Secrets, func(a, b config.Secret) bool { return reflect.DeepEqual(a, b) })
}
