package ringcentral

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
)

func TestRequest(t *testing.T) {
	const simple = testHost +
		"/restapi/v1.0/account/~/extension/~/call-log?dateFrom=2026-11-01T00%3A00%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Simple"
	extension := extensionLog()
	extension.view = "Simple"
	for _, test := range []struct {
		name     string
		log      *callLog
		from, to time.Time
		want     string
	}{
		{"account, detailed", accountLog(), from, to, firstPage},
		{"extension, simple", extension, from, to, simple},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{rowsReply("")}}
			err := providertest.Read(t.Context(), p.open(test.log), test.from, test.to, func(*collector.Page) error {
				t.Error("an empty page is handed on")
				return nil
			})
			if err != nil || !slices.Equal(p.asked, []string{test.want}) {
				t.Errorf("asked %q, want %q; error %v", p.asked, test.want, err)
			}
		})
	}
}

// TestPaging: a read goes on while there is a next page, short and empty ones included,
// and follows the link as it was given.
func TestPaging(t *testing.T) {
	const second, third = testHost + "/restapi/v1.0/account/1/call-log?page=2",
		testHost + "/restapi/v1.0/account/1/call-log?page=3&x=a%2Fb"
	p := &platform{t: t, answers: []reply{rowsReply(second, "1"), rowsReply(third), rowsReply("", "2", "3")}}
	got, err := ids(t.Context(), p.open(accountLog()))
	if err != nil || !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("read %q, error %v", got, err)
	}
	if want := []string{firstPage, second, third}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

func TestProbe(t *testing.T) {
	p := &platform{t: t, answers: []reply{
		rowsReply("/next", "1"),
		refuses(http.StatusForbidden, "InsufficientPermissions", "CMN-408", "FullCompanyCallLog"),
	}}
	log := p.open(accountLog())
	probe := collector.Probe(log, func() time.Time { return to })
	if rows, err := probe(t.Context()); rows != 1 || err != nil {
		t.Errorf("%d rows, error %v", rows, err)
	}
	want := []string{testHost +
		"/restapi/v1.0/account/~/call-log?dateFrom=2026-11-01T23%3A59%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Detailed"}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
	_, err := probe(t.Context())
	if httpclient.KindOf(err) != httpclient.KindForbidden || len(p.asked) != 2 {
		t.Errorf("asked %d times, error %v", len(p.asked), err)
	}
	if what, todo := Advise(err); !strings.Contains(what, "lacks the permission FullCompanyCallLog") ||
		!strings.Contains(todo, "Admin Portal") {
		t.Errorf("it says %q and %q", what, todo)
	}
}
