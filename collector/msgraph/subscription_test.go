package msgraph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// keeping is a subscription over a fake Graph.
type keeping struct {
	*subscription
	graph    *fakeTenant
	observer *noticed
}

func newKeeping(t *testing.T) *keeping {
	t.Helper()
	g, n := newFakeTenant(t), newNoticed()
	return &keeping{newSubscription(g.client(), testHook, testState, n), g, n}
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

// ids are those of Graph's subscriptions in short: the last digit of each.
func (k *keeping) is(t *testing.T, id string) {
	t.Helper()
	if k.known() != id || k.graph.subs[id] == nil {
		t.Errorf("the subscription is %s, want %s; Graph has %d", k.known(), id, len(k.graph.subs))
	}
	if shown := k.observer.expiry(); !shown.Equal(*k.graph.subs[id].Expires) {
		t.Errorf("the gauge shows %s, it ends %s", shown, k.graph.subs[id].Expires)
	}
}

const (
	sub1 = "7f10aaaa-0000-4000-8000-000000000001"
	sub2 = "7f10aaaa-0000-4000-8000-000000000002"
	sub3 = "7f10aaaa-0000-4000-8000-000000000003"
)

func TestSubscriptionIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		if k.Urgent() {
			t.Error("it is urgent")
		}
		if _, _, err := k.Maintain(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		var sent map[string]any
		if err := json.Unmarshal([]byte(k.graph.bodies[1]), &sent); err != nil {
			t.Fatal(err)
		}
		expires := time.Now().Add(4200 * time.Minute).UTC()
		for key, want := range map[string]any{
			"changeType": "updated", "resource": "/communications/callRecords", "notificationUrl": testHook, "lifecycleNotificationUrl": testHook,
			"clientState": testState, "latestSupportedTlsVersion": "v1_2", "expirationDateTime": expires.Format(time.RFC3339Nano),
		} {
			if sent[key] != want {
				t.Errorf("%s is %v, want %v", key, sent[key], want)
			}
		}
		if len(sent) != 7 {
			t.Errorf("sent %v", sent)
		}
		if got := k.graph.requests(); got != "GET s, POST s" {
			t.Errorf("the requests are %s", got)
		}
		k.is(t, sub1)
		<-time.After(10 * time.Minute)
		again, gap := k.keep(t, "GET s/"+sub1)
		if again != 10*time.Minute || !gap.IsZero() {
			t.Errorf("again in %s; the gap is %s", again, gap)
		}
	})
}

// It is renewed at about 60 % of its life, and never lost, for weeks.
func TestSubscriptionIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		begin := time.Now()
		var renewed []time.Time
		for time.Since(begin) < 21*24*time.Hour {
			again, gap, err := k.Maintain(t.Context(), time.Now())
			if err != nil || !gap.IsZero() {
				t.Fatalf("after %s: %v, gap %s", time.Since(begin), err, gap)
			}
			for i, request := range k.graph.asked {
				if strings.HasPrefix(request, "PATCH") {
					renewed = append(renewed, k.graph.at[i])
				}
			}
			k.graph.requests()
			<-time.After(again)
		}
		if len(renewed) != 11 || len(k.graph.subs) != 1 || k.graph.made != 1 {
			t.Errorf("in three weeks it was renewed %d times, made %d times", len(renewed), k.graph.made)
		}
		for i, at := range renewed {
			before := begin
			if i > 0 {
				before = renewed[i-1]
			}
			if share := float64(at.Sub(before)) / float64(4200*time.Minute); share < 0.55 || share > 0.65 {
				t.Errorf("renewal %d came after %.2f of its life", i, share)
			}
		}
	})
}

// A restart finds the subscription again. Of several the newest is kept; those of others
// stay as they are.
func TestSubscriptionIsFoundAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		fill     func(g *fakeTenant)
		requests string
		kept     string
		left     int
	}{
		{"one", func(g *fakeTenant) { g.add(nil) }, "GET s, PATCH s/" + sub1, sub1, 1},
		{"several", func(g *fakeTenant) {
			g.add(nil)
			g.add(func(one *graphSubscription) { *one.Expires = one.Expires.Add(time.Hour) })
			g.add(nil)
		}, "", sub2, 1},
		{"spelled in another way", func(g *fakeTenant) {
			g.add(func(one *graphSubscription) {
				one.NotificationURL, one.Resource = "https://CDR.example.com/webhooks/contoso", "communications/callRecords"
			})
		}, "GET s, PATCH s/" + sub1, sub1, 1},
		{"of another address", func(g *fakeTenant) {
			g.add(func(one *graphSubscription) { one.NotificationURL = testHook + "2" })
			g.add(func(one *graphSubscription) { one.NotificationURL = "https://other.example/webhooks/contoso" })
			g.add(func(one *graphSubscription) { one.NotificationURL = "EventHub:https://v.example/%zz" })
		}, "GET s, POST s", "7f10aaaa-0000-4000-8000-000000000004", 4},
		{"of another resource", func(g *fakeTenant) {
			g.add(func(one *graphSubscription) { one.Resource = "/users" })
		}, "GET s, POST s", sub2, 2},
		{"with a secret of a ledger that is lost", func(g *fakeTenant) {
			g.add(func(one *graphSubscription) { one.ClientState = "shown other" })
		}, "GET s, DELETE s/" + sub1 + ", POST s", sub2, 1},
		{"that is gone when it is renewed", func(g *fakeTenant) {
			g.add(nil)
			g.fault = func(r *http.Request) *http.Response {
				if r.Method == http.MethodPatch {
					return refused(http.StatusNotFound, "ResourceNotFound")
				}
				return nil
			}
		}, "GET s, PATCH s/" + sub1 + ", POST s", sub2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeeping(t)
				c.fill(k.graph)
				if _, gap, err := k.Maintain(t.Context(), time.Now()); err != nil || !gap.IsZero() {
					t.Fatalf("%v, the gap is %s", err, gap)
				}
				if got := k.graph.requests(); c.requests != "" && got != c.requests {
					t.Errorf("the requests are %s, want %s", got, c.requests)
				}
				k.is(t, c.kept)
				if len(k.graph.subs) != c.left {
					t.Errorf("%d are left, want %d", len(k.graph.subs), c.left)
				}
			})
		})
	}
}

// One that is lost is noticed within ten minutes, whoever has removed it, and made again;
// since the last notification some may be missing.
func TestSubscriptionThatIsLost(t *testing.T) {
	for _, c := range []struct {
		name     string
		lose     func(k *keeping)
		requests string
	}{
		{"found out when it is checked", func(k *keeping) { delete(k.graph.subs, sub1) }, "GET s/" + sub1 + ", GET s, POST s"},
		{"found out when it is renewed", func(k *keeping) {
			delete(k.graph.subs, sub1)
			k.lifecycleEvent("reauthorizationRequired")
		}, "PATCH s/" + sub1 + ", GET s, POST s"},
		{"told of", func(k *keeping) {
			delete(k.graph.subs, sub1)
			k.lifecycleEvent("subscriptionRemoved")
		}, "GET s, POST s"},
		{"expired while the machine slept", func(k *keeping) { <-time.After(80 * time.Hour) }, "PATCH s/" + sub1 + ", GET s, POST s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeeping(t)
				k.keep(t, "GET s, POST s")
				<-time.After(9 * time.Minute)
				heard := time.Now()
				k.heard(heard)
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
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keep(t, "GET s, POST s")
		began := time.Now()
		k.graph.subs = map[string]*graphSubscription{}
		k.graph.fault = func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost {
				return refused(http.StatusBadRequest, "ValidationError")
			}
			return nil
		}
		<-time.After(10 * time.Minute)
		_, gap, err := k.Maintain(t.Context(), time.Now())
		if err == nil || !gap.Equal(began) || !k.observer.expiry().IsZero() {
			t.Fatalf("%v, the gap begins %s, the gauge shows %s", err, gap, k.observer.expiry())
		}
		if what, todo := Advise(err); !strings.Contains(what, "public_url") || !strings.Contains(todo, "webhook.listen-address") {
			t.Errorf("advice: %s: %s", what, todo)
		}
		k.graph.fault = nil
		k.graph.requests()
		k.keep(t, "GET s, POST s")
		k.is(t, sub2)
	})
}

func TestSubscriptionLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keep(t, "GET s, POST s")
		<-time.After(time.Minute)
		heard := time.Now()
		k.heard(heard)
		<-time.After(time.Minute)
		for _, c := range []struct {
			event, requests string
			gap             time.Time
		}{
			{"reauthorizationRequired", "PATCH s/" + sub1, time.Time{}},
			{"missed", "GET s/" + sub1, heard},
			{"subscriptionRemoved", "GET s, PATCH s/" + sub1, heard}, // it was there all the same
		} {
			if !k.lifecycleEvent(c.event) || !k.Urgent() {
				t.Errorf("%s isn't known, or isn't urgent", c.event)
			}
			k.heard(time.Now()) // what comes after doesn't close the gap
			if _, gap := k.keep(t, c.requests); !gap.Equal(c.gap) && c.event != "subscriptionRemoved" {
				t.Errorf("%s: the gap begins %s, want %s", c.event, gap, c.gap)
			}
			if k.Urgent() {
				t.Errorf("%s is urgent still", c.event)
			}
			k.heard(heard)
		}
		if k.lifecycleEvent("somethingElse") || k.Urgent() {
			t.Error("an unknown event is known")
		}
	})
}

// What an event has asked for stays to be done when Graph can't be reached.
func TestSubscriptionEventDuringAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.keep(t, "GET s, POST s")
		k.lifecycleEvent("reauthorizationRequired")
		k.graph.fault = func(*http.Request) *http.Response { return refused(http.StatusInternalServerError, "UnknownError") }
		if _, _, err := k.Maintain(t.Context(), time.Now()); err == nil || !k.Urgent() {
			t.Errorf("%v, urgent: %t", err, k.Urgent())
		}
		k.graph.fault = nil
		k.graph.requests()
		k.keep(t, "PATCH s/"+sub1)
	})
}

// A POST that was carried out though its answer is lost makes no second subscription.
func TestSubscriptionWhoseAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.graph.fault = func(r *http.Request) *http.Response {
			if r.Method == http.MethodPost {
				k.graph.add(nil)
				return refused(http.StatusGatewayTimeout, "Timeout")
			}
			return nil
		}
		if _, _, err := k.Maintain(t.Context(), time.Now()); err == nil {
			t.Fatal("no error")
		}
		if got := k.graph.requests(); got != "GET s, POST s" {
			t.Errorf("the requests are %s", got)
		}
		k.keep(t, "GET s, PATCH s/"+sub1)
		k.is(t, sub1)
	})
}

// Whatever Graph says of its end, it is kept by that, and not asked over and over.
func TestSubscriptionEndsAsGraphSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		life  time.Duration
		again time.Duration
		ended bool
	}{
		{"as asked", 70 * time.Hour, 10 * time.Minute, false},
		{"shorter", 10 * time.Minute, 6 * time.Minute, false},
		{"very short", 10 * time.Second, time.Minute, false},
		{"ended", -time.Minute, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeeping(t)
				k.graph.change = func(one *graphSubscription) {
					expires := time.Now().Add(c.life).UTC()
					one.Expires = &expires
				}
				again, _, err := k.Maintain(t.Context(), time.Now())
				if again != c.again || errors.Is(err, errEnded) != c.ended || (err != nil) != c.ended {
					t.Errorf("again in %s, want %s; %v", again, c.again, err)
				}
				if c.ended {
					if what, todo := Advise(err); !strings.Contains(todo, "clock") || what == "" {
						t.Errorf("advice: %s: %s", what, todo)
					}
					<-time.After(time.Second)
					if _, _, err := k.Maintain(t.Context(), time.Now()); !errors.Is(err, errEnded) {
						t.Errorf("checked, it is %v", err)
					}
				}
			})
		})
	}
	t.Run("not said", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := newKeeping(t)
			k.graph.change = func(one *graphSubscription) { one.Expires = nil }
			k.keep(t, "GET s, POST s")
			again, _ := k.keep(t, "GET s/"+sub1)
			if want := time.Now().Add(subscriptionLife).UTC(); again != 10*time.Minute || !k.observer.expiry().Equal(want) {
				t.Errorf("again in %s; it ends %s, want %s", again, k.observer.expiry(), want)
			}
		})
	})
	t.Run("changed by somebody else", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k := newKeeping(t)
			k.keep(t, "GET s, POST s")
			*k.graph.subs[sub1].Expires = time.Now().Add(5 * time.Minute)
			if again, _ := k.keep(t, "GET s/"+sub1); again != 3*time.Minute {
				t.Errorf("again in %s", again)
			}
			k.is(t, sub1)
		})
	})
}

// Errors have advice, in which meanwhile the list is named; none holds the secret.
func TestSubscriptionErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  *http.Response
		kind   httpclient.Kind
		advice string
	}{
		{"validation", refused(http.StatusBadRequest, "ValidationError"), httpclient.KindBadRequest, "reach public_url"},
		{"quota", refused(http.StatusForbidden, "Forbidden"), httpclient.KindForbidden, "hundred"},
		{"conflict", refused(http.StatusConflict, "Conflict"), httpclient.KindStatus, ""},
		{"fault", refused(http.StatusBadGateway, "x"), httpclient.KindServer, "service health"},
		{"no JSON", &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody}, httpclient.KindBody, ""},
		{"other JSON", answerWith(201, []int{1}), "", "it is tried again"},
		{"no id", answerWith(201, map[string]any{"id": "../x"}), "", "it is tried again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newKeeping(t)
				k.graph.fault = func(r *http.Request) *http.Response {
					if r.Method == http.MethodPost {
						return c.fault
					}
					return nil
				}
				_, _, err := k.Maintain(t.Context(), time.Now())
				if err == nil || httpclient.KindOf(err) != c.kind || k.known() != "" {
					t.Fatalf("the error is %v, of kind %s", err, httpclient.KindOf(err))
				}
				if n := strings.Count(k.graph.requests(), "POST"); n != 1 {
					t.Errorf("%d were asked for", n)
				}
				what, todo := Advise(err)
				if both := what + todo; !strings.Contains(both, c.advice) || !strings.Contains(todo, "meanwhile") || strings.Contains(both+err.Error(), testState[:8]) {
					t.Errorf("%v; advice: %s: %s", err, what, todo)
				}
			})
		})
	}
}

func TestSubscriptionWithoutSecret(t *testing.T) {
	g := newFakeTenant(t)
	s := newSubscription(g.client(), testHook, "", newNoticed())
	if _, _, err := s.Maintain(t.Context(), time.Now()); !errors.Is(err, errNoSecret) || len(g.asked) > 0 {
		t.Errorf("the error is %v, asked %v", err, g.asked)
	} else if what, todo := Advise(subscriptionError{err}); !strings.Contains(todo, "ledger") || what == "" {
		t.Errorf("advice: %s: %s", what, todo)
	}
	if s.trusts("") {
		t.Error("without a secret, everybody is trusted")
	}
}

// A subscription that was found and knows another secret is replaced, once; one that was
// made isn't, whatever comes.
func TestSubscriptionWithAnotherSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeping(t)
		k.graph.add(nil)
		k.keep(t, "GET s, PATCH s/"+sub1)
		k.estranged("7f10aaaa-0000-4000-8000-00000000000f")
		if k.Urgent() {
			t.Error("a stranger's id counts")
		}
		k.estranged(sub1)
		k.keep(t, "GET s, DELETE s/"+sub1+", POST s")
		k.is(t, sub2)
		k.estranged(sub2)
		if k.Urgent() {
			t.Error("the one that was made is to be replaced")
		}
	})
}

// Next links of the list are followed, on the same host only.
func TestSubscriptionListPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ name, next, problem string }{
			{"two pages", "https://graph.example/v1.0/subscriptions?$skiptoken=x", ""},
			{"another host", "https://evil.example/v1.0/subscriptions", "evil.example"},
			{"a loop", "https://graph.example/v1.0/subscriptions", "repeats"},
		} {
			k := newKeeping(t)
			k.graph.add(nil)
			k.graph.fault = func(r *http.Request) *http.Response {
				if r.Method == http.MethodGet && r.URL.RawQuery == "" {
					return answerWith(http.StatusOK, map[string]any{"value": []any{}, "@odata.nextLink": c.next})
				}
				return nil
			}
			_, _, err := k.Maintain(t.Context(), time.Now())
			if c.problem == "" && (err != nil || k.known() != sub1) || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}
