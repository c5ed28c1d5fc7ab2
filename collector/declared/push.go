package declared

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Push says how records come that a system posts to the webhook listener.
type Push struct {
	Format string `yaml:"format"`
	// Field is the field of a form that holds the record; another body is the record itself.
	Field string `yaml:"field"`
}

// The keys of a source's block that every definition with push has.
const (
	pushToken    = "token"
	insecureHTTP = "insecure_http"
)

// SetDefaults implements config.Defaulter.
func (p *Push) SetDefaults() { p.Format = formatJSON }

// Validate implements config.Validator.
func (p *Push) Validate(r *config.Report) { r.OneOf("format", p.Format, formatJSON, formatXML) }

// validatePush reports what a definition can't have whose records are posted.
func (d *Definition) validatePush(r *config.Report) {
	if p, is := d.Parameters[pushToken]; is && !p.Secret {
		r.Problemf("parameters."+pushToken, "is the secret that records are posted with; say secret: true, or take another name")
	}
	if posted := d.postedFeeds(); len(posted) > 1 {
		r.Problemf("push", "takes the records of one feed, and there are %s; make a definition of each", strings.Join(posted, ", "))
	}
	for _, feed := range d.postedFeeds() {
		if d.Feeds[feed].Final != nil {
			r.Problemf("feeds."+feed+".final", "needs a filter by start or end, since what isn't final is asked for again; "+
				"a record that was posted comes once: say in ignore what doesn't count")
		}
	}
}

// postedFeeds are the feeds that take what is posted: those without files of their own.
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

// The errors of a body, for the person who set the sender up.
var (
	errNoForm   = errors.New("the body is no form, as its Content-Type says")
	errNoRecord = errors.New("the body must be one record: an object of JSON")

	errNoXMLRecord    = errors.New("the body must be one record: an element of XML at the feed's rows")
	errSeveralRecords = errors.New("the body has several records: post each by itself")
)

// record is the record that a body holds, as JSON: a field of a form, or the body itself. Of XML it is the element at a path.
func (p *Push) record(contentType string, body []byte, at rowsPath) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && p.Field != "" {
		found := true
		switch media {
		case "application/x-www-form-urlencoded":
			body, found, err = p.inForm(body)
		case "application/x-www-form-base64-encoded": // FreeSWITCH's own: FIELD=, and Base64 up to the end
			if body, found = bytes.CutPrefix(bytes.TrimSpace(body), []byte(p.Field+"=")); found {
				body, err = base64.StdEncoding.AppendDecode(nil, body)
			}
		}
		switch {
		case err != nil:
			return nil, errNoForm // its own error quotes the body
		case !found:
			return nil, fmt.Errorf("the form has no field %s, which the definition says holds the record", p.Field)
		}
	}
	if p.Format == formatXML {
		return xmlRecord(body, at)
	}
	if body = trimmed(body); len(body) == 0 || body[0] != '{' || !isJSON(body) {
		return nil, errNoRecord
	}
	return body, nil
}

// xmlRecord is the one row of a document of XML, as JSON.
func xmlRecord(body []byte, at rowsPath) (record []byte, err error) {
	for row, err := range xmlRows(bytes.NewReader(trimmed(body)), at) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("the body can't be read: %w", err)
		case row.problem != "":
			return nil, fmt.Errorf("the record can't be read: %s", row.problem)
		case record != nil:
			return nil, errSeveralRecords
		}
		record = row.raw
	}
	if record == nil {
		return nil, errNoXMLRecord
	}
	return record, nil
}

func (p *Push) inForm(body []byte) (record []byte, found bool, err error) {
	form, err := url.ParseQuery(string(body))
	return []byte(form.Get(p.Field)), form.Has(p.Field), err
}
