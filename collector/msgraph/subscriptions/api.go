package subscriptions

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/graph"
)

const (
	// callRecordsResource is the resource of the subscription.
	callRecordsResource = "/communications/callRecords"
	subscriptionsPath   = "v1.0/subscriptions"
	// maxListPages limits the list of an app's subscriptions.
	maxListPages = 1_000
)

type subscription struct {
	ID              string    `json:"id,omitempty"`
	ChangeType      string    `json:"changeType,omitempty"`
	Resource        string    `json:"resource,omitempty"`
	NotificationURL string    `json:"notificationUrl,omitempty"`
	LifecycleURL    string    `json:"lifecycleNotificationUrl,omitempty"`
	Expires         time.Time `json:"expirationDateTime,omitzero"`
	ClientState     string    `json:"clientState,omitempty"`
	MinTLS          string    `json:"latestSupportedTlsVersion,omitempty"`
}

// list returns the subscriptions to call records that notify the webhook's URL, with any query.
func (m *Manager) list(ctx context.Context) ([]subscription, error) {
	var found []subscription
	var page graph.Collection[subscription]
	pages := m.client.Pages(ctx, newRequest(http.MethodGet, subscriptionsPath), maxListPages,
		func(body []byte) (string, error) {
			page = graph.Collection[subscription]{}
			err := graph.Decode(body, &page)
			return page.Next, err
		})
	for _, err := range pages {
		if err != nil {
			return nil, err
		}
		for _, one := range page.Value {
			resource := "/" + strings.TrimPrefix(one.Resource, "/")
			notified, _, _ := strings.Cut(one.NotificationURL, "?")
			if strings.EqualFold(notified, m.publicURL) && strings.EqualFold(resource, callRecordsResource) &&
				graph.IsGUID(one.ID) {
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// send makes or changes a subscription. Before Graph makes one, it calls the subscription's
// address.
func (m *Manager) send(ctx context.Context, method, link string, body *subscription) (answer subscription, err error) {
	request := newRequest(method, link)
	if request.Body, err = json.Marshal(body); err != nil {
		return answer, fmt.Errorf("write a subscription: %w", err)
	}
	err = m.client.Fetch(ctx, request, func(content []byte) error { return graph.Decode(content, &answer) })
	return answer, err
}

// newRequest makes a request without a feed: its label is empty.
func newRequest(method, link string) httpclient.Request {
	return httpclient.Request{
		Method: method, URL: link, Label: "subscriptions",
		ExpectJSON: method != http.MethodDelete,
	}
}
