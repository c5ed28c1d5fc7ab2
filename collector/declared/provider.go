package declared

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// NewProvider is the provider that a definition describes.
func NewProvider(d *Definition) collector.Provider {
	p := collector.NewProvider(d.Provider, open, d.properties()...)
	p.NewConfig = func() any { return newBlock(d) }
	return p
}

// properties are what the records of each feed can show. They follow from the fields that the
// definition has.
func (d *Definition) properties() (all []collector.FeedProperties) {
	for _, key := range slices.Sorted(maps.Keys(d.Feeds)) {
		f := d.Feeds[key]
		if of := f.function(); of != nil && !f.Snapshot {
			properties := of.Properties
			properties.Name = key
			all = append(all, properties)
			continue
		}
		all = append(all, collector.FeedProperties{
			Name: key, Reasons: f.givesReasons(), SIPCodes: f.givesSIPCodes(),
			Visits: f.Record.QueueResult.IsSet(), Streams: len(f.Record.Media) > 0, NoCalls: !f.countsCalls(),
			Snapshot: f.Snapshot,
		})
	}
	return all
}

func (f *Feed) givesReasons() bool {
	return f.Record.givesReasons() || f.Legs != nil && f.Legs.Record.givesReasons()
}

func (f *Feed) givesSIPCodes() bool {
	return f.Record.SIPCode.IsSet() || f.Legs != nil && f.Legs.Record.SIPCode.IsSet()
}

// givesReasons says whether an outcome can give the reason why a call didn't connect.
func (d *Record) givesReasons() bool {
	plain := make(map[string]bool)
	for _, outcome := range []cdr.Outcome{cdr.Answered, cdr.Voicemail, cdr.NotConnected, cdr.Unknown} {
		plain[outcome.String()] = true
	}
	plain[language.NoOutcome] = true
	return d.Outcome.HasOther(plain)
}

// feedOpener adds the reader to a feed's info.
type feedOpener = func(info *collector.FeedInfo, f *feed)

// feed is a feed of a source's block.
type feed struct {
	*Feed
	FeedBlock

	name     string
	settings MapperSettings
}

// identity is a digest of the values that identify rows (counting.md 19).
func (f *feed) identity() string {
	r := &f.Record
	by := []string{f.settings.Zone.String(), r.ID.Written, cmp.Or(r.Start.Written, r.End.Written), r.Group.Written}
	if !r.ID.IsSet() {
		by = append(by, r.CallType.Written, r.Caller.Written, r.Callee.Written)
	}
	if f.Filter.By == web.ByInserted { // ids are kept by when their rows were read, not by their starts
		by = append(by, f.Filter.By)
	}
	if f.Filter.Key != "" { // the position is a number of this column
		by = append(by, f.Filter.Key)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", by))
	return hex.EncodeToString(sum[:4])
}

func (f *feed) newMapper() *Mapper { return NewMapper(f.Feed, f.settings) }

// open makes a source of a valid block. It sends no request.
func open(b *Block, settings collector.SourceSettings) (*collector.Source, error) {
	d := b.definition
	source := &collector.Source{
		Close: func() {}, ThrottledUntil: func() time.Time { return time.Time{} },
		Advise: func(err error) (what, todo string) { return err.Error(), "see the log of the exporter" },
	}
	if d.Account != "" {
		source.Account = b.account()
	}
	openers, err := b.openSources(source, &settings)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(b.Feeds)) {
		keys, of := b.Feeds[name], d.Feeds[name]
		info := collector.FeedInfo{
			Name: name, Interval: keys.Interval, Lookback: keys.Lookback, LateAfter: keys.LateAfter,
			Settle: keys.Settle, WholeAfter: keys.WholeAfter,
			Fingerprint: strings.TrimSpace(cmp.Or(source.Account, d.Provider) + " " + name),
			Currency:    d.CurrencyFor(b.Values),
			Rules: collector.Rules{
				Legs: of.sharesCalls(b.valuesOf(keys)), Parents: of.Record.Parent.IsSet(), Whole: of.Whole != nil,
				ChargesLater: len(of.Record.Charges) > 0,
			},
		}
		trace := ""
		if settings.Origins {
			trace = d.file
		}
		f := &feed{Feed: &of, FeedBlock: keys, name: name, settings: MapperSettings{
			Parameters: b.valuesOf(keys), Zone: b.Zone, Now: settings.Now, Ignore: keys.Ignore, Trace: trace,
			EmergencyNumbers: settings.EmergencyNumbers,
		}}
		for _, addReader := range openers {
			addReader(&info, f)
		}
		if f.Filter.By == web.ByEnd {
			info.Limits.EndsWithin = keys.Lookback
		}
		if of.files == nil && d.Push == nil { // otherwise nothing is read twice
			info.Fingerprint += " " + f.identity()
			info.OtherAccount += "; if id, start, group, parties or the filter of the definition, or time_zone, " +
				"changed, the calls of the lookback would count " +
				"again: undo the change, or rename the source and set a history that goes back to the change"
		}
		source.Feeds = append(source.Feeds, info)
	}
	return source, nil
}

// openSources prepares the kinds of sources that the definition has and the source uses; push may be
// combined with files. Each adds the account, the advice for errors and the closer to the source.
func (b *Block) openSources(
	source *collector.Source, settings *collector.SourceSettings,
) (openers []feedOpener, err error) {
	openers = make([]feedOpener, 1)
	switch d := b.definition; {
	case d.HTTP != nil:
		openers[0], err = b.openHTTP(source, settings)
	case d.SQL != nil:
		openers[0], err = b.openSQL(source, settings)
	case b.readsFiles():
		openers[0] = b.openFiles(source, settings)
	default:
		openers = nil // records are only posted
	}
	if b.pushes() {
		openers = append(openers, b.openPush(settings))
	}
	return openers, err
}

// account identifies what the source reads.
func (b *Block) account() string {
	d := b.definition
	return strings.TrimSpace(d.Provider + " " + language.Expand(d.Account, b.Values))
}

// title is the provider's name in messages.
func (d *Definition) title() string { return cmp.Or(d.Title, d.Provider) }

// sameAs says whether a feed's block is the same. It compares conditions by their text.
func (f FeedBlock) sameAs(other FeedBlock) bool {
	written := func(c *language.Condition) string {
		if c == nil {
			return ""
		}
		return c.Written
	}
	same := written(f.Ignore) == written(other.Ignore)
	f.Ignore, other.Ignore = nil, nil
	return same && reflect.DeepEqual(f, other)
}

// SameAs says whether another block is the same: unlike the definition, its text can be compared.
func (b *Block) SameAs(other any) bool {
	o, ok := other.(*Block)
	return ok && b.Text == o.Text && b.BaseURL == o.BaseURL && maps.EqualFunc(b.Feeds, o.Feeds, FeedBlock.sameAs) &&
		maps.EqualFunc(b.Values, o.Values, slices.Equal) &&
		maps.EqualFunc(b.Secrets, o.Secrets, func(a, b config.Secret) bool { return reflect.DeepEqual(a, b) })
}
