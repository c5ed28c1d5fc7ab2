package declared

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/url"
)

// The errors of a body, for whoever set the sender up.
var (
	errNoForm   = errors.New("the body is no form, as its Content-Type says")
	errNoRecord = errors.New("the body must be one record: an object of JSON")
)

// record is the record that a body holds: a field of a form, or the body itself.
func (p *Push) record(contentType string, body []byte) ([]byte, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && p.Field != "" {
		switch media {
		case "application/x-www-form-urlencoded":
			body, err = p.inForm(body)
		case "application/x-www-form-base64-encoded": // FreeSWITCH's own: FIELD=, and Base64 up to the end
			body, err = p.inBase64(body)
		}
		if err != nil {
			return nil, err
		}
	}
	if body = trimmed(body); len(body) == 0 || body[0] != '{' || !isJSON(body) {
		return nil, errNoRecord
	}
	return body, nil
}

func (p *Push) inForm(body []byte) ([]byte, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNoForm // its own error quotes the body
	}
	if !form.Has(p.Field) {
		return nil, p.noField()
	}
	return []byte(form.Get(p.Field)), nil
}

func (p *Push) inBase64(body []byte) ([]byte, error) {
	text, is := bytes.CutPrefix(bytes.TrimSpace(body), []byte(p.Field+"="))
	if !is {
		return nil, p.noField()
	}
	decoded, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, errNoForm
	}
	return decoded, nil
}

func (p *Push) noField() error {
	return fmt.Errorf("the form has no field %s, which the definition says holds the record", p.Field)
}
