package push

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

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
	errNoForm    = errors.New("the body isn't a form, although its Content-Type says so")
	errNoRecord  = errors.New("the body must be a record: a JSON object; or several, in a list or one after the other")
	errWholeForm = errors.New("the body is a form: name its field with the record in the definition, push.field")

	errNoXMLRecord   = errors.New("the body must have a record: an XML element at the feed's rows")
	errSeveralFields = errors.New("the form has several records: post each one separately")
)

// ErrTooMany is the error of a body with more records than are taken at once.
var ErrTooMany = errors.New("the body has more than 20,000 records: post fewer at a time")

// records are the records in a body, as JSON: in a field of a form, or in the body itself. In XML they are the elements
// at the feed's rows; so they are in JSON if the feed has rows.
func (r *Receiver) records(contentType string, body []byte) ([]rows.Row, error) {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if field := r.Config.Field; field != "" {
		found, err := true, error(nil)
		switch media {
		case "application/x-www-form-urlencoded":
			body, found, err = r.Config.inForm(body)
		case "application/x-www-form-plaintext": // used by FreeSWITCH, some of whose modules leave out FIELD=
			body = bytes.TrimPrefix(bytes.TrimSpace(body), []byte(field+"="))
		case "application/x-www-form-base64-encoded": // used by FreeSWITCH: FIELD=, then Base64 up to the end
			if body, found = bytes.CutPrefix(bytes.TrimSpace(body), []byte(field+"=")); found {
				body, err = base64.StdEncoding.AppendDecode(nil, body)
			}
		}
		switch {
		case errors.Is(err, errSeveralFields):
			return nil, err
		case err != nil:
			return nil, errNoForm // its own error quotes the body
		case !found:
			return nil, fmt.Errorf("the form doesn't have the field %s, the definition's field for the record", field)
		}
	}
	each, none := r.eachJSON(body), errNoRecord
	if r.Config.Format == rows.FormatXML {
		each, none = eachXML(rows.Trimmed(body), r.Path), errNoXMLRecord
	} else if r.Config.Field == "" && media == "application/x-www-form-urlencoded" {
		none = errWholeForm
	}
	var records []rows.Row
	for record, err := range each {
		switch {
		case errors.Is(err, errNoRecord):
			return nil, none
		case err != nil:
			return nil, err
		case len(records) == maxRecords:
			return nil, ErrTooMany
		}
		records = append(records, record)
	}
	if !slices.ContainsFunc(records, func(record rows.Row) bool { return record.Problem == "" }) {
		return nil, none
	}
	return records, nil
}

// eachJSON yields the records of a body.
func (r *Receiver) eachJSON(body []byte) iter.Seq2[rows.Row, error] {
	return func(yield func(rows.Row, error) bool) {
		for document := range rows.EachDocument(rows.Trimmed(body)) {
			inside, err := []rows.Row{document}, error(nil)
			isBad, hasEnd := document.Problem != "", bytes.HasSuffix(document.Raw, []byte("}"))
			switch {
			case len(document.Raw) == 0, !hasEnd && !bytes.ContainsAny(document.Raw[:1], "[{"):
				err = errNoRecord
			case !isBad && r.Path != nil, document.Raw[0] == '[':
				if inside, err = r.Document(document.Raw); err != nil && isBad {
					err = errNoRecord
				}
			case isBad && !hasEnd && isCut(body, document.Raw):
				err = errNoRecord
			case isBad:
				if r.Path != nil {
					inside, err = r.Document(document.Raw)
				}
				if r.Path == nil || err != nil {
					document.Raw = rows.Quoted(string(document.Raw)) // records are JSON
					inside, err = []rows.Row{document}, nil
				}
			}
			if err != nil {
				yield(rows.Row{}, err)
				return
			}
			for _, record := range inside {
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// isCut says whether a document is the last one of a body and its end is missing. If it is one line with its line end,
// only the line was cut.
func isCut(body, document []byte) bool {
	isLine := bytes.HasSuffix(body, []byte("\n")) && !bytes.Contains(document, []byte("\n"))
	return !isLine && bytes.HasSuffix(bytes.TrimSpace(body), document)
}

// eachXML yields the rows of an XML document, as JSON.
func eachXML(body []byte, at []string) iter.Seq2[rows.Row, error] {
	return func(yield func(rows.Row, error) bool) {
		for row, err := range rows.ReadXML(bytes.NewReader(body), at) {
			if err != nil {
				err = fmt.Errorf("the body can't be read: %w", err)
			} else if row.Problem != "" {
				err = fmt.Errorf("the record can't be read: %s", row.Problem)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func (c *Config) inForm(body []byte) (record []byte, found bool, err error) {
	form, err := url.ParseQuery(string(body))
	if len(form[c.Field]) > 1 {
		err = errSeveralFields
	}
	return []byte(form.Get(c.Field)), form.Has(c.Field), err
}
