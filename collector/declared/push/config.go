package push

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/url"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Config describes the records that a system posts to the webhook listener.
type Config struct {
	Format string `yaml:"format"`
	// Field is the field of a form with the record; any other body is the record itself.
	Field string `yaml:"field"`
}

// SetDefaults implements config.Defaulter.
func (c *Config) SetDefaults() { c.Format = rows.FormatJSON }

// Validate implements config.Validator.
func (c *Config) Validate(r *config.Report) {
	r.OneOf("format", c.Format, rows.FormatJSON, rows.FormatXML)
}

// The errors of a body, for the person who configures the sender.
var (
	errNoForm   = errors.New("the body isn't a form, although its Content-Type says so")
	errNoRecord = errors.New("the body must be one record: a JSON object")

	errWholeForm      = errors.New("the body is a form: name its field with the record in the definition, push.field")
	errNoXMLRecord    = errors.New("the body must be one record: an XML element at the feed's rows")
	errSeveralRecords = errors.New("the body has several records: post each one separately")
)

// record is the record in a body, as JSON: a field of a form, or the body itself. For XML it is the
// element at a path.
func (c *Config) record(contentType string, body []byte, at []string) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && c.Field != "" {
		found := true
		switch media {
		case "application/x-www-form-urlencoded":
			body, found, err = c.inForm(body)
		case "application/x-www-form-base64-encoded": // used by FreeSWITCH: FIELD=, then Base64 up to the end
			if body, found = bytes.CutPrefix(bytes.TrimSpace(body), []byte(c.Field+"=")); found {
				body, err = base64.StdEncoding.AppendDecode(nil, body)
			}
		}
		switch {
		case errors.Is(err, errSeveralRecords):
			return nil, err
		case err != nil:
			return nil, errNoForm // its own error quotes the body
		case !found:
			return nil, fmt.Errorf("the form doesn't have the field %s, the definition's field for the record", c.Field)
		}
	}
	if c.Format == rows.FormatXML {
		return xmlRecord(body, at)
	}
	if body = rows.Trimmed(body); len(body) == 0 || body[0] != '{' || !rows.IsJSON(body) {
		if c.Field == "" && media == "application/x-www-form-urlencoded" {
			return nil, errWholeForm
		}
		return nil, errNoRecord
	}
	return body, nil
}

// xmlRecord is the only row of an XML document, as JSON.
func xmlRecord(body []byte, at []string) (record []byte, err error) {
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

func (c *Config) inForm(body []byte) (record []byte, found bool, err error) {
	form, err := url.ParseQuery(string(body))
	if err == nil && len(form[c.Field]) > 1 {
		err = errSeveralRecords
	}
	return []byte(form.Get(c.Field)), form.Has(c.Field), err
}
