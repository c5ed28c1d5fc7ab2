package declared

import (
	"net/http"
	"slices"
	"sync"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// taskPosted is the kind of task that holds a record which was posted to a replica that doesn't read the feed.
const taskPosted = "posted"

// pushWay takes records that a system posts. It has nothing to read: what was posted is kept by the ledger only.
type pushWay struct {
	block    *Block
	settings *collector.SourceSettings
}

func (w *pushWay) describe(source *collector.Source) {
	if source.Advise != nil {
		return // the other way's
	}
	if w.block.definition.Account != "" {
		source.Account = w.block.account()
	}
	source.Advise = func(err error) (what, todo string) { return err.Error(), "see the log of the exporter" }
}

func (w *pushWay) read(info *collector.FeedInfo, f *feed) {
	d := w.block.definition
	if !slices.Contains(d.postedFeeds(), f.name) {
		return
	}
	p := &posted{push: d.Push, mapper: NewMapper(f.Feed, f.settings)}
	if w.settings.Derive != nil {
		p.seal = newSeal(w.settings.Derive)
	}
	info.Rules.ByArrival = true
	info.Posted = p.page
	info.Webhook = &collector.Webhook{
		Path: "/push/" + w.settings.Name, NeedsTLS: !slices.Equal(w.block.Values[insecureHTTP], []string{"true"}),
		Handler: func(inbox collector.Inbox) http.Handler {
			return newPushHandler(p, w.block.Secrets[pushToken], inbox, w.settings)
		},
	}
}

// posted makes pages of records that were posted. It is safe for concurrent use.
type posted struct {
	push *Push
	seal *seal // nil in commands, which have no ledger

	mu     sync.Mutex
	mapper *Mapper // guarded by mu
}

// put puts a record onto a page; whatever became of it, it is committed.
func (p *posted) put(page *collector.Page, record []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	mapped := p.mapper.MapJSON(record)
	mapped.put(page, record, "posted")
}

// page makes a page of what other replicas have put into the ledger. What can't be opened was damaged there: it is shown as a row that can't be read.
func (p *posted) page(tasks []collector.Task) *collector.Page {
	page := new(collector.Page)
	for _, task := range tasks {
		record, err := p.seal.open(task.Data)
		if err != nil {
			page.Invalid = append(page.Invalid, collector.BadRow{Content: []byte(task.Key), At: "posted to another replica", Problem: err.Error()})
			continue
		}
		p.put(page, record)
	}
	return page
}

// task is a record for the replica that reads the feed. The same record again is the same task.
func (p *posted) task(record []byte) collector.Task {
	return collector.Task{Kind: taskPosted, Key: p.seal.name(record), Data: p.seal.close(record)}
}
