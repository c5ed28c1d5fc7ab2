package subscriptions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

const (
	// callRecordsResource is what is subscribed to.
	callRecordsResource = "/communications/callRecords"
	subscriptionsPath   = "v1.0/subscriptions"
	// maxListPages bounds the list of an app's subscriptions.
	maxListPages = 1_000
)

var errNoSubscription = errors.New("the answer is no subscription")

// subscription is a subscription on the wire.
type subscription struct {
	ID              string     `json:"id,omitempty"`
	ChangeType      string     `json:"changeType,omitempty"`
	Resource        string     `json:"resource,omitempty"`
	NotificationURL string     `json:"notificationUrl,omitempty"`
	LifecycleURL    string     `json:"lifecycleNotificationUrl,omitempty"`
	Expires         *time.Time `json:"expirationDateTime,omitempty"`
	ClientState     string     `json:"clientState,omitempty"`
	MinTLS          string     `json:"latestSupportedTlsVersion,omitempty"`
}

// expires is when it ends; zero if that isn't said.
func (s *subscription) expires() time.Time {
	if s.Expires == nil {
		return time.Time{}
	}
	return *s.Expires
}

// api manages the app's subscriptions. Its requests have no feed (contract 3).
type api struct{ client *httpclient.Client }

// list returns the subscriptions to call records that notify an address, with any query.
func (a api) list(ctx context.Context, address string) ([]subscription, error) {
	var found []subscription
	var page graph.Collection[subscription]
	pages := a.client.Pages(ctx, newRequest(http.MethodGet, subscriptionsPath), maxListPages, func(response *httpclient.Response) (string, error) {
		page = graph.Collection[subscription]{}
		err := graph.Decode(response, &page)
		return page.Next, err
	})
	for _, err := range pages {
		if err != nil {
			return nil, err
		}
		for _, one := range page.Value {
			resource := "/" + strings.TrimPrefix(one.Resource, "/")
			notified, _, _ := strings.Cut(one.NotificationURL, "?")
			if strings.EqualFold(notified, address) && strings.EqualFold(resource, callRecordsResource) && graph.IsGUID(one.ID) {
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// create makes a subscription. Graph calls its address before it answers.
func (a api) create(ctx context.Context, wanted *subscription) (made subscription, err error) {
	if err = a.send(ctx, http.MethodPost, subscriptionsPath, wanted, &made); err == nil && !graph.IsGUID(made.ID) {
		err = errNoSubscription
	}
	return made, err
}

func (a api) renew(ctx context.Context, id string, expires time.Time) (renewed subscription, err error) {
	err = a.send(ctx, http.MethodPatch, subscriptionsPath+"/"+id, &subscription{Expires: &expires}, &renewed)
	return renewed, err
}

func (a api) remove(ctx context.Context, id string) error {
	return a.client.Fetch(ctx, newRequest(http.MethodDelete, subscriptionsPath+"/"+id), func(*httpclient.Response) error { return nil })
}

// send sends a subscription and decodes the answer.
func (a api) send(ctx context.Context, method, link string, body, answer *subscription) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write a subscription: %w", err)
	}
	request := newRequest(method, link)
	request.JSON = text
	return a.client.Fetch(ctx, request, func(response *httpclient.Response) error { return graph.Decode(response, answer) })
}

func newRequest(method, link string) httpclient.Request {
	return httpclient.Request{Method: method, URL: link, Label: "subscriptions", ExpectJSON: method != http.MethodDelete}
}
