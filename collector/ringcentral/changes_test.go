package ringcentral

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// syncReply is an answer to a synchronisation.
func syncReply(token string, more bool, rows ...string) reply {
	return reply{body: fmt.Sprintf(
		`{"uri":"https://rc.example/x","records":[%s],"syncInfo":{"syncType":"ISync","syncToken":%q,"syncTime":"2026-11-20T06:00:00.000Z","newerRecordsExist":%t}}`,
		strings.Join(rows, ","), token, more)}
}

// TestSyncRequests: without a token all since a time, with one what came since.
func TestSyncRequests(t *testing.T) {
	fax := `{"id":"f","type":"Fax","action":"Outgoing Fax","startTime":"2026-11-01T10:00:00Z"}`
	p := &platform{t: t, answers: []reply{
		syncReply("t+1/=", true, call("1", `"result":"Accepted"`), fax), syncReply("t2", false, call("2", ""), `{"startTime":5}`),
	}}
	c := p.open(accountLog())
	b, at, err := c.sync(t.Context(), "", from)
	if err != nil || at != (collector.SyncPosition{Token: "t+1/=", More: true}) || len(b.Records) != 1 || len(b.Ignored) != 1 {
		t.Errorf("%+v, %+v, error %v", b, at, err)
	}
	b, at, err = c.sync(t.Context(), at.Token, from)
	if err != nil || at != (collector.SyncPosition{Token: "t2"}) || len(b.Records) != 1 || len(b.Invalid) != 1 {
		t.Errorf("%+v, %+v, error %v", b, at, err)
	}
	const path = testHost + "/restapi/v1.0/account/~/call-log-extract-sync?"
	want := []string{
		path + "dateFrom=2026-11-01T00%3A00%3A00.000Z&recordCount=1000&syncType=FSync&view=Detailed",
		path + "syncToken=t%2B1%2F%3D&syncType=ISync&view=Detailed",
	}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

func TestSyncErrors(t *testing.T) {
	const clg = `{"errorCode":"CLG-101","errors":[{"errorCode":"CLG-101"}]}`
	lost, noSync := collector.ErrTokenLost, collector.ErrNoSync
	for _, test := range []struct {
		name   string
		token  string
		answer reply
		want   error
	}{
		{"CLG-101", "t", reply{status: 400, body: clg}, lost},
		{"CLG-105", "t", refuses(400, "CLG-105", "CLG-105", ""), lost},
		{"too many changes", "t", reply{status: 400, body: `{"errors":[{"errorCode":"CMN-101","parameterName":"syncToken"}]}`}, lost},
		{"another bad request", "t", reply{status: 400}, lost},
		{"gone", "t", reply{status: 410}, lost},
		{"anew, bad request", "", reply{status: 400}, noSync},
		{"anew, no permission", "", refuses(403, "InsufficientPermissions", "CMN-408", "ReadCallLog"), noSync},
		{"anew, not there", "", reply{status: 404}, noSync},
		{"anew, not implemented", "", reply{status: 501}, noSync},
		{"anew, no such method", "", reply{status: 405}, noSync},
		{"anew, not a synchronisation", "", rowsReply("", "1"), noSync},
		{"anew, a token that is too long", "", syncReply(strings.Repeat("t", maxSyncToken+1), false), noSync},
		{"withdrawn", "t", reply{status: 404}, noSync},
		{"no permission any more", "t", reply{status: 403}, noSync},
		{"proxy", "", reply{status: 407}, nil},
		{"unauthorized", "", reply{status: 401}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{test.answer}}
			_, at, err := p.open(accountLog()).sync(t.Context(), test.token, from)
			if err == nil || at.Token != "" || len(p.asked) != 1 {
				t.Fatalf("position %+v, asked %d times, error %v", at, len(p.asked), err)
			}
			for _, sentinel := range []error{lost, noSync} {
				if errors.Is(err, sentinel) != errors.Is(test.want, sentinel) {
					t.Errorf("error %v, want %v", err, test.want)
				}
			}
			if test.answer.status >= 400 && httpclient.KindOf(err) == "" {
				t.Errorf("the cause is missing from %v", err)
			}
		})
	}
}

// TestSyncIsAskedAgain: a cut answer is read again, and its rows come once.
func TestSyncIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := reply{body: `{"records":[` + call("1", "") + `,{"id`}
		p := &platform{t: t, answers: []reply{cut, {status: http.StatusServiceUnavailable}, syncReply("t", false, call("1", ""), call("2", ""))}}
		b, _, err := p.open(accountLog()).sync(t.Context(), "", from)
		if err != nil || len(b.Records) != 2 || len(p.asked) != 3 {
			t.Errorf("%+v, asked %d times, error %v", b, len(p.asked), err)
		}
	})
}

// TestSyncAnswerIsBounded: it isn't asked for again, since it would be as long.
func TestSyncAnswerIsBounded(t *testing.T) {
	rows := slices.Repeat([]string{`{"type":"Fax"}`}, maxWholeRows+1)
	p := &platform{t: t, answers: []reply{syncReply("t", false, rows...)}}
	if _, _, err := p.open(accountLog()).sync(t.Context(), "", from); !errors.Is(err, wire.ErrTooManyRows) || len(p.asked) != 1 {
		t.Errorf("asked %d times, error %v", len(p.asked), err)
	}
}

// TestSyncViews: both ways of reading ask for the same view, or rows would differ.
func TestSyncViews(t *testing.T) {
	log := accountLog()
	log.view = (&CallLog{View: viewSimple}).wire()
	for _, link := range []string{log.link(from, to), log.changesLink("", from), log.changesLink("t", from)} {
		if !strings.Contains(link, "view=Simple") {
			t.Errorf("%s has another view", link)
		}
	}
}
