package declared

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// openPush prepares to accept posted records. There is nothing to read: only the ledger keeps
// posted records.
func (b *Block) openPush(settings *collector.SourceSettings) readFeed {
	return func(info *collector.FeedInfo, f *feed) {
		if !slices.Contains(b.definition.postedFeeds(), f.name) {
			return
		}
		p := &posted{push: b.definition.Push, mapper: f.newMapper()}
		if derive := settings.Derive; derive != nil {
			p.seal, p.names = newAEAD(derive("posted records")), derive("names of posted records")
		}
		info.Rules.ByArrival = true
		info.Posted = p.page
		info.Webhook = &collector.Webhook{
			Path: "/push/" + settings.Name, NeedsTLS: !slices.Equal(b.Values[insecureHTTP], []string{"true"}),
			Handler: func(inbox collector.Inbox) http.Handler {
				return newPushHandler(p, b.Secrets[pushToken], inbox, settings)
			},
		}
	}
}

// posted makes pages of posted records. It is safe for concurrent use.
type posted struct {
	push *Push
	// seal encrypts records that wait in the ledger for the replica that reads their feed; names is
	// the key for their names. Both are derived from the ledger, which all replicas share, so a new
	// token doesn't make a record unreadable. They are nil in commands, which have no ledger.
	seal  cipher.AEAD
	names []byte

	mu     sync.Mutex
	mapper *Mapper // guarded by mu
}

// put adds a record, valid or not, to a page, which is committed.
func (p *posted) put(page *collector.Page, record []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	mapped := p.mapper.MapJSON(record)
	mapped.put(page, record, "posted")
}

// page makes a page of what other replicas have put into the ledger. What can't be opened was
// damaged there: it is shown as a row that can't be read.
func (p *posted) page(tasks []work.Item) *collector.Page {
	page := new(collector.Page)
	for _, task := range tasks {
		record, err := p.open(task.Data)
		if err != nil {
			page.Invalid = append(page.Invalid,
				collector.BadRow{Content: []byte(task.Key), At: "posted to another replica", Problem: err.Error()})
			continue
		}
		p.put(page, record)
	}
	return page
}

// task is a record for the replica that reads the feed. The same record again is the same task, and
// its name says nothing of the record.
func (p *posted) task(record []byte) work.Item {
	name := hmac.New(sha256.New, p.names)
	name.Write(record)
	return work.Item{
		Kind: work.Posted, Key: hex.EncodeToString(name.Sum(nil)[:16]),
		Data: base64.StdEncoding.EncodeToString(p.seal.Seal(nil, nil, record, nil)),
	}
}

var errUnsealed = errors.New("can't decrypt a record that another replica stored in the ledger: the ledger is " +
	"damaged or was replaced")

func (p *posted) open(sealed string) ([]byte, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errUnsealed
	}
	record, err := p.seal.Open(nil, nil, text, nil)
	if err != nil {
		return nil, errUnsealed
	}
	return record, nil
}
