package push

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rowmap"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/rows"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Settings are what a receiver needs.
type Settings struct {
	Config Config
	// Path leads to the records in a document; nil: the document is one.
	Path []string
	// Document reads the records of a list, or of a document with a Path, in JSON. Its error is ErrTooMany, or says
	// that the list is missing.
	Document func(text []byte) ([]rows.Row, error)
	Token    config.Secret
	// Seal encrypts records that wait in the ledger for the replica that reads their feed; Names is
	// the key for their names. Both are derived from the ledger, which all replicas share, so a new
	// token doesn't make a record unreadable. They are nil in commands, which have no ledger.
	Seal  cipher.AEAD
	Names []byte

	Mapper   rowmap.Mapper
	Observer collector.NotificationObserver // may be nil
	Logger   *slog.Logger
}

// Receiver makes pages of posted records. It is safe for concurrent use.
type Receiver struct {
	Settings

	mu sync.Mutex // guards Mapper
}

// New makes a receiver.
func New(s *Settings) *Receiver { return &Receiver{Settings: *s} }

// put adds a record, valid or not, to a page, which is committed.
func (r *Receiver) put(page *collector.Page, record *rows.Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	mapped := r.Mapper.Map(record)
	mapped.Put(page, record.Raw, "posted")
}

// Page makes a page of what other replicas have put into the ledger. What can't be opened was
// damaged there: it is shown as a row that can't be read.
func (r *Receiver) Page(tasks []work.Item) *collector.Page {
	page := new(collector.Page)
	for _, task := range tasks {
		records, err := r.open(task.Data)
		if err != nil {
			page.Invalid = append(page.Invalid,
				collector.BadRow{Content: []byte(task.Key), At: "posted to another replica", Problem: err.Error()})
			continue
		}
		others := len(page.Records)
		for record := range bytes.SplitSeq(records, separator) {
			r.put(page, &rows.Row{Raw: record})
		}
		collector.Twins{}.Number(page.Records[others:]) // another body may have the same records
	}
	return page
}

// separator is between the records of a task, which are JSON: no text of JSON has it.
var separator = []byte{'\x1e'}

// task is the records of a body for the replica that reads the feed. The same ones again are the same task, and its
// name says nothing of them.
func (r *Receiver) task(records []rows.Row) work.Item {
	texts := make([][]byte, len(records))
	for i := range records {
		texts[i] = records[i].Raw
	}
	body := bytes.Join(texts, separator)
	name := hmac.New(sha256.New, r.Names)
	name.Write(body)
	return work.Item{
		Kind: work.Posted, Key: hex.EncodeToString(name.Sum(nil)[:16]),
		Data: base64.StdEncoding.EncodeToString(r.Seal.Seal(nil, nil, body, nil)),
	}
}

var errUnsealed = errors.New("can't decrypt records that another replica stored in the ledger: the ledger is " +
	"damaged or was replaced")

func (r *Receiver) open(sealed string) ([]byte, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errUnsealed
	}
	records, err := r.Seal.Open(nil, nil, text, nil)
	if err != nil {
		return nil, errUnsealed
	}
	return records, nil
}
