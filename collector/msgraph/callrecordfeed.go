package msgraph

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// callRecords makes the feed of call records: a list and notifications, which only name
// them, and what fetches them.
func (s *source) callRecords() (collector.FeedInfo, *callRecords, error) {
	c := s.config.CallRecords
	countries, emergency := s.numbers()
	records := &callRecords{
		client: s.client, paces: newPaces(), countries: countries, emergency: emergency,
		settle: c.Settle, now: s.graphNow,
	}
	list := &callRecordList{client: s.client}
	info := collector.FeedInfo{
		Name: feedCallRecords, Reader: list, Fetcher: records, Hourless: true,
		Interval: c.Interval, Lookback: c.Lookback, LateAfter: c.LateAfter,
		Fingerprint: s.fingerprint(feedCallRecords), Currency: noCurrency,
		Probe: func(ctx context.Context) (int, error) { return list.probe(ctx, s.settings.Now()) },
	}
	if c.Webhook == nil {
		return info, records, nil
	}
	address, err := url.Parse(c.Webhook.PublicURL)
	if err != nil {
		return info, nil, errors.New("call_records.webhook.public_url is not a URL")
	}
	kept := newSubscription(s.client, c.Webhook.PublicURL, s.clientState(), s.notified())
	kept.every = min(checkSubscription, 2*c.Interval) // as often as the list is read
	info.Subscription = kept
	info.Webhook = &collector.Webhook{
		Path: address.Path,
		Handler: func(enqueue func(context.Context, []collector.Task) (int, error)) http.Handler {
			return newNotifications(kept, s.config.TenantID, s.settings.Now, s.client.Offset, enqueue)
		},
	}
	return info, records, nil
}

// graphNow is Graph's time: by a clock of ours that is behind, calls that have ended would
// end later still, and never settle.
func (s *source) graphNow() time.Time {
	if offset, known := s.client.Offset(); known {
		return time.Now().Add(offset) // which is what the offset is of
	}
	return s.settings.Now()
}

// clientState is the secret that notifications have to know: 64 characters of Graph's
// 128, the same as long as the ledger lives. Empty without a ledger: nobody knows it.
func (s *source) clientState() string {
	if s.settings.Derive == nil {
		return ""
	}
	secret := hex.EncodeToString(s.settings.Derive("webhook:" + s.settings.Name + " " + s.config.CallRecords.Webhook.PublicURL))
	return secret[:min(len(secret), 128)]
}

// notified is told of notifications.
func (s *source) notified() collector.NotificationObserver {
	if s.settings.Notified == nil {
		return notNotified{}
	}
	return s.settings.Notified
}

// notNotified is told in vain.
type notNotified struct{}

func (notNotified) Notifications(string, int)    {}
func (notNotified) LastNotification(time.Time)   {}
func (notNotified) SubscriptionExpiry(time.Time) {}
