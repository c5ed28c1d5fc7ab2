package ringcentral

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// refusalText is what errors of refusals may look like.
var refusalText = regexp.MustCompile(`^GET call-log: 403 Forbidden(, RingCentral says ([A-Z]{2,5}-[0-9]{1,4})?( ?[A-Za-z][A-Za-z_]{0,39})?( ?\([A-Z][A-Za-z]{2,39}\))?)?$`)

// refusedWith is the error of an answer with a body.
func refusedWith(t testing.TB, status int, body string) error {
	t.Helper()
	p := &platform{answers: []reply{{status: status, body: body}}}
	client, err := httpclient.New(httpclient.Settings{BaseURL: testHost, Transport: p, Quote: quote})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Get(context.Background(), httpclient.Request{URL: "/x", Label: "call-log"})
	return err
}

func TestProblems(t *testing.T) {
	const prefix = "GET call-log: 403 Forbidden"
	for _, test := range []struct{ name, body, want string }{
		{
			"with names",
			`{"errorCode":"InsufficientPermissions","message":"m","errors":[{"errorCode":"CMN-401","message":"m","permissionName":"ReadCallLog"}],"permissionName":"ReadCallLog"}`,
			", RingCentral says CMN-401 InsufficientPermissions (ReadCallLog)",
		},
		{
			"of old, in the message",
			`{"errorCode":"InsufficientPermissions","message":"[ReadCompanyCallLog] permission required"}`,
			", RingCentral says InsufficientPermissions (ReadCompanyCallLog)",
		},
		{
			"the message of an app",
			`{"errors":[{"errorCode":"CMN-401","message":"In order to call this API endpoint, application needs to have [ReadCallLog] permission"}]}`,
			", RingCentral says CMN-401 (ReadCallLog)",
		},
		{
			"the message of a user",
			`{"errors":[{"errorCode":"CMN-408","message":"In order to call this API endpoint, user needs to have [FullCompanyCallLog] permission for requested resource."}]}`,
			", RingCentral says CMN-408 (FullCompanyCallLog)",
		},
		{"errors alone", `{"errors":[{"errorCode":"CMN-408","message":"+12065550100"}]}`, ", RingCentral says CMN-408"},
		{"a code alone", `{"errorCode":"CMN-102","message":"+12065550100"}`, ", RingCentral says CMN-102"},
		{
			"OAuth",
			`{"error":"invalid_client","errors":[{"errorCode":"OAU-153","message":"Invalid client: ","parameters":[{"parameterName":"client_id","parameterValue":""}]}],"error_description":"Invalid client: "}`, ", RingCentral says OAU-153 invalid_client",
		},
		{
			"token",
			`{"errorCode":"TokenInvalid","message":"Token not found","errors":[{"errorCode":"OAU-213","message":"Token not found"}]}`, ", RingCentral says OAU-213 TokenInvalid",
		},
		{
			"codes that hold more",
			`{"errorCode":"call +12065550100","errors":[{"errorCode":"CMN-401 +12065550100","permissionName":"call me"}]}`, "",
		},
		{"other types", `{"errorCode":5}`, ""},
		{"an array", `[]`, ""},
		{"HTML", `<html>+12065550100</html>`, ""},
		{"nothing", ``, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := refusedWith(t, http.StatusForbidden, test.body)
			if got := err.Error(); got != prefix+test.want || !refusalText.MatchString(got) {
				t.Errorf("%q, want %q", got, prefix+test.want)
			}
			if httpclient.KindOf(err) != httpclient.KindForbidden {
				t.Error("the refusal is lost")
			}
		})
	}
}
