package declared

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/access"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/push"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// The keys of a source's block for every definition with push.
const (
	pushToken    = "token"
	insecureHTTP = "insecure_http"
)

// openPush prepares to accept posted records. There is nothing to read: only the ledger keeps
// posted records.
func (b *Block) openPush(settings *collector.SourceSettings) feedOpener {
	return func(info *collector.FeedInfo, f *feed) {
		if !slices.Contains(b.definition.postedFeeds(), f.name) {
			return
		}
		s := &push.Settings{
			Config: *b.definition.Push, Path: f.Rows, Document: f.postedRows, Token: b.Secrets[pushToken],
			Mapper:   f.newMapper(),
			Observer: settings.Notified, Logger: settings.Logger,
		}
		if derive := settings.Derive; derive != nil {
			s.Seal, s.Names = access.NewAEAD(derive("posted records")), derive("names of posted records")
		}
		receiver := push.New(s)
		info.Rules.ByArrival = true
		info.Posted = receiver.Page
		info.Webhook = &collector.Webhook{
			Path: "/push/" + settings.Name, NeedsTLS: !slices.Equal(b.Values[insecureHTTP], []string{"true"}),
			Handler: receiver.Handler,
		}
	}
}

// postedRows are the records of a body.
func (f *feed) postedRows(text []byte) ([]rows.Row, error) {
	found, err := f.JSONRows(text)
	switch {
	case errors.Is(err, wire.ErrTooManyRows):
		return nil, push.ErrTooMany
	case err != nil: // it says "the answer"
		return nil, fmt.Errorf("the body has no list at %s, the feed's rows, or two", strings.Join(f.Rows, "."))
	}
	return found, nil
}

const countsTwice = "without an id a record that is posted and is also in a file would count twice"

// validatePush reports what a definition with posted records can't have.
func (d *Definition) validatePush(r *config.Report) {
	if p, is := d.Parameters[pushToken]; is && !p.Secret {
		r.Problemf("parameters."+pushToken,
			"is the secret for posting records; set secret: true, or choose another name")
	}
	if posted := d.postedFeeds(); len(posted) > 1 {
		r.Problemf("push", "accepts the records of one feed, but there are %s; make a definition for each",
			strings.Join(posted, ", "))
	}
	for _, feed := range d.postedFeeds() {
		f := d.Feeds[feed]
		switch {
		case d.Files == nil:
		case !f.Record.ID.IsSet():
			r.Problemf("feeds."+feed+".record.id", "is missing; "+countsTwice)
		case f.WithoutID:
			r.Problemf("feeds."+feed+".without_id", "doesn't work with push and files; "+countsTwice)
		}
		if f.Final != nil {
			r.Problemf("feeds."+feed+".final",
				"needs a filter by start or end, because a row that isn't final is read again; "+
					"each record is posted once: use ignore for records that don't count")
		}
	}
}

// postedFeeds are the feeds for posted records: those without their own files.
func (d *Definition) postedFeeds() (names []string) {
	for _, feed := range slices.Sorted(maps.Keys(d.Feeds)) {
		if d.Feeds[feed].Files == nil {
			names = append(names, feed)
		}
	}
	return names
}

// pushes says whether records may be posted to the source.
func (b *Block) pushes() bool { return b.definition.Push != nil && b.Secrets[pushToken].IsSet() }

// IsPostedOnly says that the source reads nothing: its records are only posted.
func (b *Block) IsPostedOnly() bool { return b.pushes() && !b.readsFiles() }
