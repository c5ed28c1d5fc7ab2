package subscriptions

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

// answer gives requests of a method this answer; an empty method means all.
func answer(method string, with providertest.Answer) func(r *http.Request) *providertest.Answer {
	return func(r *http.Request) *providertest.Answer {
		if method == "" || r.Method == method {
			return &with
		}
		return nil
	}
}

func refusing(method string, status int, code string) func(r *http.Request) *providertest.Answer {
	return answer(method, providertest.Refuse(status, code))
}

// keep keeps it, and wants these requests of it.
func (k *keeping) keep(t *testing.T, requests string) (again time.Duration, gap time.Time) {
	t.Helper()
	again, gap, err := k.Maintain(t.Context(), time.Now())
	if err != nil {
		t.Fatalf("the error is %v", err)
	}
	if got := k.graph.requests(); got != requests {
		t.Errorf("the requests are %s, want %s", got, requests)
	}
	return again, gap
}

// is wants the subscription to have that id, and the gauge to show when it ends.
func (k *keeping) is(t *testing.T, id string) {
	t.Helper()
	one := k.graph.find(id)
	if k.id != id || one.ID != id {
		t.Errorf("the subscription is %s, want %s; Graph has %d", k.id, id, len(k.graph.Subscriptions()))
	}
	if shown := k.observer.expiry(); !shown.Equal(one.Expires) {
		t.Errorf("the gauge shows %s, it ends %s", shown, one.Expires)
	}
}

const (
	sub1 = "7f10aaaa-0000-4000-8000-000000000001"
	sub2 = "7f10aaaa-0000-4000-8000-000000000002"
)

func TestSubscriptionIsMade(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		if k.Urgent() {
			t.Error("it is urgent")
		}
		if _, _, err := k.Maintain(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		sent := k.graph.find(sub1)
		if sent.ChangeType != "updated" || sent.Resource != "/communications/callRecords" ||
			sent.NotificationURL != testAddress || sent.LifecycleURL != testHook ||
			sent.ClientState != testState || sent.MinTLS != "v1_2" ||
			!sent.Expires.Equal(time.Now().Add(4200*time.Minute)) {
			t.Errorf("sent %+v", sent)
		}
		if got := k.graph.requests(); got != "GET s, POST s" {
			t.Errorf("the requests are %s", got)
		}
		k.is(t, sub1)
		<-time.After(10 * time.Minute)
		again, gap := k.keep(t, "PATCH s/"+sub1)
		if again != 10*time.Minute || !gap.IsZero() {
			t.Errorf("again in %s; the gap is %s", again, gap)
		}
		if k.is(t, sub1); !k.graph.find(sub1).Expires.Equal(time.Now().Add(life)) {
			t.Errorf("renewed, it ends %s", k.graph.find(sub1).Expires)
		}
	})
}

// A restart finds the subscription again. It keeps the newest of several, and leaves those of
// others alone.
func TestSubscriptionIsFoundAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		fill     func(g *tenant)
		requests string
		kept     string
		left     int
	}{
		{"one", func(g *tenant) { g.add(nil) }, "GET s, PATCH s/" + sub1, sub1, 1},
		{"several", func(g *tenant) {
			g.add(nil)
			g.add(func(one *sim.Subscription) { one.Expires = one.Expires.Add(time.Hour) })
			g.add(nil)
		}, "", sub2, 1},
		{"spelled in another way", func(g *tenant) {
			g.add(func(one *sim.Subscription) {
				one.NotificationURL, one.Resource = strings.Replace(testAddress, "cdr.", "CDR.", 1),
					"communications/callRecords"
			})
		}, "GET s, PATCH s/" + sub1, sub1, 1},
		{"of another address", func(g *tenant) {
			g.add(func(one *sim.Subscription) { one.NotificationURL = testHook + "2" })
			g.add(func(one *sim.Subscription) { one.NotificationURL = "https://other.example/webhooks/contoso" })
			g.add(func(one *sim.Subscription) { one.NotificationURL = "EventHub:https://v.example/%zz" })
		}, "GET s, POST s", "7f10aaaa-0000-4000-8000-000000000004", 4},
		{"of another resource", func(g *tenant) {
			g.add(func(one *sim.Subscription) { one.Resource = "/users" })
		}, "GET s, POST s", sub2, 2},
		{"with a secret of a ledger that is lost", func(g *tenant) {
			g.add(func(one *sim.Subscription) { one.NotificationURL = testHook + "?ledger=0123456789abcdef" })
		}, "GET s, DELETE s/" + sub1 + ", POST s", sub2, 1},
		{"that is gone when it is renewed", func(g *tenant) {
			g.add(nil)
			g.fault = refusing(http.MethodPatch, http.StatusNotFound, "ResourceNotFound")
		}, "GET s, PATCH s/" + sub1 + ", POST s", sub2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, k *keeping) {
				c.fill(k.graph)
				if _, gap, err := k.Maintain(t.Context(), time.Now()); err != nil || !gap.IsZero() {
					t.Fatalf("%v, the gap is %s", err, gap)
				}
				if got := k.graph.requests(); c.requests != "" && got != c.requests {
					t.Errorf("the requests are %s, want %s", got, c.requests)
				}
				k.is(t, c.kept)
				if len(k.graph.Subscriptions()) != c.left {
					t.Errorf("%d are left, want %d", len(k.graph.Subscriptions()), c.left)
				}
			})
		})
	}
}

// A lost subscription is noticed within ten minutes, whatever removed it, and made again.
// Notifications since the last one may be missing.
func TestSubscriptionThatIsLost(t *testing.T) {
	for _, c := range []struct {
		name     string
		lose     func(k *keeping)
		requests string
	}{
		{
			"found out when it is renewed", func(k *keeping) { k.graph.LoseSubscriptions() },
			"PATCH s/" + sub1 + ", GET s, POST s",
		},
		{"told of", func(k *keeping) {
			k.graph.LoseSubscriptions()
			k.noteLifecycle("subscriptionRemoved")
		}, "GET s, POST s"},
		{
			"expired while the machine slept", func(k *keeping) { <-time.After(80 * time.Hour) },
			"PATCH s/" + sub1 + ", GET s, POST s",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, k *keeping) {
				k.keep(t, "GET s, POST s")
				<-time.After(9 * time.Minute)
				heard := time.Now()
				k.noteNotified(heard)
				<-time.After(time.Minute)
				c.lose(k)
				_, gap := k.keep(t, c.requests)
				if !gap.Equal(heard) {
					t.Errorf("the gap begins %s, want %s", gap, heard)
				}
				k.is(t, sub2)
				if n := len(k.observer.expiries); n != 3 || !k.observer.expiries[1].IsZero() {
					t.Errorf("the gauge was %v", k.observer.expiries)
				}
			})
		})
	}
}

// While it can't be made again the gap stays, the gauge is gone, and the error says so.
func TestSubscriptionThatCantBeMadeAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		k.keep(t, "GET s, POST s")
		began := time.Now()
		k.graph.LoseSubscriptions()
		k.graph.fault = refusing(http.MethodPost, http.StatusBadRequest, "ValidationError")
		<-time.After(10 * time.Minute)
		_, gap, err := k.Maintain(t.Context(), time.Now())
		if err == nil || !gap.Equal(began) || !k.observer.expiry().IsZero() {
			t.Fatalf("%v, the gap begins %s, the gauge shows %s", err, gap, k.observer.expiry())
		}
		k.graph.fault = nil
		k.graph.requests()
		k.keep(t, "GET s, POST s")
		k.is(t, sub2)
	})
}

// A lifecycle notification takes effect even if no request to Graph succeeds.
func TestSubscriptionRemovedInAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		k.keep(t, "GET s, POST s")
		k.graph.fault = refusing("", http.StatusBadRequest, "ValidationError")
		k.noteLifecycle("subscriptionRemoved")
		if _, _, err := k.Maintain(t.Context(), time.Now()); err == nil || !k.observer.expiry().IsZero() {
			t.Errorf("%v, the gauge shows %s", err, k.observer.expiry())
		}
	})
}

func TestSubscriptionLifecycle(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		k.keep(t, "GET s, POST s")
		<-time.After(time.Minute)
		heard := time.Now()
		k.noteNotified(heard)
		<-time.After(time.Minute)
		for _, c := range []struct {
			event, requests string
			gap             time.Time
		}{
			{"reauthorizationRequired", "PATCH s/" + sub1, time.Time{}},
			{"missed", "PATCH s/" + sub1, heard},
			{"subscriptionRemoved", "GET s, PATCH s/" + sub1, heard}, // it was there all the same
		} {
			if !k.noteLifecycle(c.event) || !k.Urgent() {
				t.Errorf("%s isn't known, or isn't urgent", c.event)
			}
			k.noteNotified(time.Now()) // what comes after doesn't close the gap
			if _, gap := k.keep(t, c.requests); !gap.Equal(c.gap) {
				t.Errorf("%s: the gap begins %s, want %s", c.event, gap, c.gap)
			}
			if k.Urgent() {
				t.Errorf("%s is urgent still", c.event)
			}
			k.noteNotified(heard)
		}
		if k.noteLifecycle("somethingElse") || k.Urgent() {
			t.Error("an unknown event is known")
		}
	})
}

// However short its life is, it is kept by what Graph says, and not asked over and over.
func TestSubscriptionEndsAsGraphSays(t *testing.T) {
	for _, c := range []struct {
		name        string
		life, again time.Duration
	}{
		{"as asked", 70 * time.Hour, 10 * time.Minute},
		{"shorter", 10 * time.Minute, 5 * time.Minute},
		{"very short", 10 * time.Second, time.Minute},
		{"ended", -time.Minute, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, k *keeping) {
				expires := time.Now().Add(c.life).UTC()
				k.graph.fault = answer(http.MethodPost, providertest.Answer{
					Status: http.StatusCreated,
					Body:   fmt.Sprintf(`{"id":%q,"expirationDateTime":%q}`, sub1, expires.Format(time.RFC3339)),
				})
				if again, _, err := k.Maintain(t.Context(), time.Now()); again != c.again || err != nil ||
					!k.observer.expiry().Equal(expires) {
					t.Errorf("again in %s, want %s; it ends %s; %v", again, c.again, k.observer.expiry(), err)
				}
			})
		})
	}
	t.Run("not said", func(t *testing.T) {
		inBubble(t, func(t *testing.T, k *keeping) {
			k.graph.fault = answer(http.MethodPost, providertest.Answer{Status: 201, Body: `{"id":"` + sub1 + `"}`})
			k.keep(t, "GET s, POST s")
			k.graph.fault = answer(http.MethodPatch, providertest.Answer{Body: `{"id":"` + sub1 + `"}`})
			again, _ := k.keep(t, "PATCH s/"+sub1)
			if want := time.Now().Add(life).UTC(); again != 10*time.Minute || !k.observer.expiry().Equal(want) {
				t.Errorf("again in %s; it ends %s, want %s", again, k.observer.expiry(), want)
			}
		})
	})
}

// Errors say what Graph answered, and don't hold the secret.
func TestSubscriptionErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault providertest.Answer
		kind  httpclient.Kind
	}{
		{"validation", providertest.Refuse(http.StatusBadRequest, "ValidationError"), httpclient.KindBadRequest},
		{"quota", providertest.Refuse(http.StatusForbidden, "Forbidden"), httpclient.KindForbidden},
		{"conflict", providertest.Refuse(http.StatusConflict, "Conflict"), httpclient.KindStatus},
		{"fault", providertest.Refuse(http.StatusBadGateway, "x"), httpclient.KindServer},
		{"no JSON", providertest.Answer{Status: http.StatusCreated}, httpclient.KindBody},
		{"other JSON", providertest.Answer{Status: http.StatusCreated, Body: "[1]"}, ""},
		{"no id", providertest.Answer{Status: http.StatusCreated, Body: `{"id":"../x"}`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, k *keeping) {
				k.graph.fault = answer(http.MethodPost, c.fault)
				_, _, err := k.Maintain(t.Context(), time.Now())
				if err == nil || httpclient.KindOf(err) != c.kind || k.id != "" {
					t.Fatalf("the error is %v, of kind %s", err, httpclient.KindOf(err))
				}
				if n := strings.Count(k.graph.requests(), "POST"); n != 1 {
					t.Errorf("%d requests", n)
				}
				if _, ok := errors.AsType[*Error](err); !ok || strings.Contains(err.Error(), testState[:8]) {
					t.Errorf("the error is a %T: %v", err, err)
				}
			})
		})
	}
}

// The secret stays the same as long as the ledger, and differs between sources.
func TestSecret(t *testing.T) {
	secret := func(change func(*collector.SourceSettings)) string {
		settings := testSettings(nil)
		settings.Derive = func(purpose string) []byte {
			sum := sha256.Sum256([]byte(purpose))
			return sum[:]
		}
		change(settings)
		return newManager(t, nil, "https://graph.example", settings).clientState
	}
	first, again := secret(func(*collector.SourceSettings) {}), secret(func(*collector.SourceSettings) {})
	other := secret(func(s *collector.SourceSettings) { s.Name = "fabrikam" })
	if len(first) != 64 || first != again || first == other {
		t.Errorf("the secret has %d characters; the same again: %t; equal to another source's: %t", len(first),
			first == again, first == other)
	}
}

// Next links of the list are followed.
func TestSubscriptionListPages(t *testing.T) {
	inBubble(t, func(t *testing.T, k *keeping) {
		k.graph.add(nil)
		k.graph.fault = func(r *http.Request) *providertest.Answer {
			if r.Method == http.MethodGet && r.URL.RawQuery == "" {
				return &providertest.Answer{Body: `{"value":[],"@odata.nextLink":"/v1.0/subscriptions?$skiptoken=x"}`}
			}
			r.URL.RawQuery = "" // the simulator has one page
			return nil
		}
		if _, _, err := k.Maintain(t.Context(), time.Now()); err != nil || k.id != sub1 {
			t.Error(err)
		}
	})
}
