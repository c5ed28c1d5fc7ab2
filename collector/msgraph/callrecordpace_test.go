package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// One record is asked for no more often than Graph allows; others don't wait for it.
func TestTrapLimitsOfOneCallRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		following := map[bool]int{}
		client, err := httpclient.New(httpclient.Settings{BaseURL: "https://graph.example", Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, time.Now())
			following[r.URL.Query().Has("$skip")]++
			return answerWith(http.StatusOK, json.RawMessage(callWith())), nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		c := &callRecords{client: client, paces: newPaces(), now: time.Now}
		pace := c.paces.of(record1)
		began := time.Now()
		var into callRecord
		for range 40 {
			if err := c.read(t.Context(), pace.first, "v1.0/communications/callRecords/"+record1, &into); err != nil {
				t.Fatal(err)
			}
		}
		wantWindow(t, asked, 10, 20*time.Second)
		if took := time.Since(began); took > 100*time.Second {
			t.Errorf("40 took %s", took)
		}
		asked, began = nil, time.Now()
		for range 150 {
			if err := c.read(t.Context(), pace.following, "v1.0/communications/callRecords/"+record1+"/sessions?$skip=1", &into); err != nil {
				t.Fatal(err)
			}
		}
		wantWindow(t, asked, 50, 5*time.Minute)
		if took := time.Since(began); took > 11*time.Minute {
			t.Errorf("150 took %s", took)
		}
		began = time.Now()
		other := c.paces.of(record2)
		if err := c.read(t.Context(), other.first, "v1.0/communications/callRecords/"+record2, &into); err != nil || time.Since(began) > 0 {
			t.Errorf("another record took %s, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.read(ctx, pace.following, "x", &into); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		for i := range 3 * maxIdlePaces {
			c.paces.of(fmt.Sprint(i))
		}
		if n := len(c.paces.byID); n > maxIdlePaces || c.paces.byID[record1] != pace {
			t.Errorf("the paces of %d records are kept, the one in use: %t", n, c.paces.byID[record1] == pace)
		}
		<-time.After(time.Hour)
		for i := range maxIdlePaces {
			c.paces.of(fmt.Sprint("new", i))
		}
		if c.paces.byID[record1] != nil {
			t.Error("an idle pace is kept")
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wantWindow wants at most so many in any span of time.
func wantWindow(t *testing.T, at []time.Time, most int, per time.Duration) {
	t.Helper()
	for i := most; i < len(at); i++ {
		if span := at[i].Sub(at[i-most]); span < per {
			t.Errorf("%d came within %s", most+1, span)
			return
		}
	}
}
