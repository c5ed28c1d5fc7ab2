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

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Push describes the records that a system posts to the webhook listener.
type Push struct {
	Format string `yaml:"format"`
	// Field is the field of a form with the record; any other body is the record itself.
	Field string `yaml:"field"`
}

// The keys of a source's block for every definition with push.
const (
	pushToken    = "token"
	insecureHTTP = "insecure_http"
)

// SetDefaults implements config.Defaulter.
func (p *Push) SetDefaults() { p.Format = rows.FormatJSON }

// Validate implements config.Validator.
func (p *Push) Validate(r *config.Report) {
	r.OneOf("format", p.Format, rows.FormatJSON, rows.FormatXML)
}

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
		if d.Feeds[feed].Final != nil {
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

// The errors of a body, for the person who configures the sender.
var (
	errNoForm   = errors.New("the body isn't a form, although its Content-Type says so")
	errNoRecord = errors.New("the body must be one record: a JSON object")

	errNoXMLRecord    = errors.New("the body must be one record: an XML element at the feed's rows")
	errSeveralRecords = errors.New("the body has several records: post each one separately")
)

// record is the record in a body, as JSON: a field of a form, or the body itself. For XML it is the
// element at a path.
func (p *Push) record(contentType string, body []byte, at rowsPath) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && p.Field != "" {
		found := true
		switch media {
		case "application/x-www-form-urlencoded":
			body, found, err = p.inForm(body)
		case "application/x-www-form-base64-encoded": // used by FreeSWITCH: FIELD=, then Base64 up to the end
			if body, found = bytes.CutPrefix(bytes.TrimSpace(body), []byte(p.Field+"=")); found {
				body, err = base64.StdEncoding.AppendDecode(nil, body)
			}
		}
		switch {
		case err != nil:
			return nil, errNoForm // its own error quotes the body
		case !found:
			return nil, fmt.Errorf("the form doesn't have the field %s, the definition's field for the record", p.Field)
		}
	}
	if p.Format == rows.FormatXML {
		return xmlRecord(body, at)
	}
	if body = rows.Trimmed(body); len(body) == 0 || body[0] != '{' || !rows.IsJSON(body) {
		return nil, errNoRecord
	}
	return body, nil
}

// xmlRecord is the only row of an XML document, as JSON.
func xmlRecord(body []byte, at rowsPath) (record []byte, err error) {
	for row, err := range rows.ReadXML(bytes.NewReader(rows.Trimmed(body)), at) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("the body can't be read: %w", err)
		case row.Problem != "":
			return nil, fmt.Errorf("the record can't be read: %s", row.Problem)
		case record != nil:
			return nil, errSeveralRecords
		}
		record = row.Raw
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
