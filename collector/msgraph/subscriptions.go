package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// callRecordsResource is what is subscribed to.
const callRecordsResource = "/communications/callRecords"

// graphSubscription is a subscription on the wire.
type graphSubscription struct {
	ID              string     `json:"id,omitempty"`
	ChangeType      string     `json:"changeType,omitempty"`
	Resource        string     `json:"resource,omitempty"`
	NotificationURL string     `json:"notificationUrl,omitempty"`
	LifecycleURL    string     `json:"lifecycleNotificationUrl,omitempty"`
	Expires         *time.Time `json:"expirationDateTime,omitempty"`
	ClientState     string     `json:"clientState,omitempty"`
	MinTLS          string     `json:"latestSupportedTlsVersion,omitempty"`
}

// ends is when it ends; long ago if that isn't said.
func (g *graphSubscription) ends() time.Time {
	if g.Expires == nil {
		return time.Time{}
	}
	return *g.Expires
}

// subscriptions are the app's own at Graph. Requests for them have no feed (contract 3).
type subscriptions struct{ client *httpclient.Client }

const subscriptionsPath = "v1.0/subscriptions"

var errNoSubscription = errors.New("the answer is no subscription")

// list is the subscriptions to call records that tell an address.
func (a subscriptions) list(ctx context.Context, address string) ([]graphSubscription, error) {
	var mine []graphSubscription
	var page innerPage[graphSubscription]
	pages := a.client.Pages(ctx, subscriptionRequest(http.MethodGet, subscriptionsPath), maxInnerPages, func(response *httpclient.Response) (string, error) {
		page = innerPage[graphSubscription]{}
		err := decodeSubscription(response, &page)
		return page.Next, err
	})
	for _, err := range pages {
		if err != nil {
			return nil, err
		}
		for _, one := range page.Value {
			resource := "/" + strings.TrimPrefix(one.Resource, "/")
			if sameAddress(one.NotificationURL, address) && strings.EqualFold(resource, callRecordsResource) && guid.MatchString(one.ID) {
				mine = append(mine, one)
			}
		}
	}
	return mine, nil
}

// sameAddress says whether two URLs lead to the same place.
func sameAddress(a, b string) bool {
	left, err := url.Parse(a)
	if err != nil {
		return false
	}
	right, err := url.Parse(b)
	return err == nil && left.Scheme == right.Scheme && strings.EqualFold(left.Host, right.Host) && left.RequestURI() == right.RequestURI()
}

func (a subscriptions) get(ctx context.Context, id string) (one graphSubscription, err error) {
	err = a.ask(ctx, http.MethodGet, subscriptionsPath+"/"+id, nil, &one)
	return one, err
}

// create makes a subscription. Graph calls its address meanwhile.
func (a subscriptions) create(ctx context.Context, wanted *graphSubscription) (made graphSubscription, err error) {
	if err = a.ask(ctx, http.MethodPost, subscriptionsPath, wanted, &made); err == nil && !guid.MatchString(made.ID) {
		err = errNoSubscription
	}
	return made, err
}

func (a subscriptions) renew(ctx context.Context, id string, expires time.Time) (renewed graphSubscription, err error) {
	err = a.ask(ctx, http.MethodPatch, subscriptionsPath+"/"+id, &graphSubscription{Expires: &expires}, &renewed)
	return renewed, err
}

// delete deletes a subscription, if it is there.
func (a subscriptions) delete(ctx context.Context, id string) error {
	err := a.ask(ctx, http.MethodDelete, subscriptionsPath+"/"+id, nil, nil)
	if httpclient.KindOf(err) == httpclient.KindNotFound {
		return nil
	}
	return err
}

// ask sends a request and reads its answer, if there is one.
func (a subscriptions) ask(ctx context.Context, method, link string, body, answer any) error {
	request := subscriptionRequest(method, link)
	request.ExpectJSON = answer != nil
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write a subscription: %w", err)
		}
		request.JSON = text
	}
	return a.client.Fetch(ctx, request, func(response *httpclient.Response) error {
		if answer == nil || response.Status == http.StatusNoContent {
			return nil
		}
		return decodeSubscription(response, answer)
	})
}

func subscriptionRequest(method, link string) httpclient.Request {
	return httpclient.Request{Method: method, URL: link, Label: "subscriptions", ExpectJSON: true}
}

func decodeSubscription(response *httpclient.Response, into any) error {
	if json.Unmarshal(response.Body.Bytes(), into) != nil {
		return httpclient.Retryable(errNoSubscription)
	}
	return nil
}
