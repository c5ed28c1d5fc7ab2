package httpclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

func ExampleClient_Fetch() {
	tries := 0
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"value": ["a", "b"]}`))
	}))
	defer provider.Close()

	client, err := httpclient.New(httpclient.Settings{BaseURL: provider.URL, RequestsPerMinute: 600})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	request := httpclient.Request{Feed: "pstn", URL: "/calls?page=1", Label: "calls", ExpectJSON: true}
	err = client.Fetch(context.Background(), request, func(body []byte) error {
		var page struct{ Value []string }
		if err := json.Unmarshal(body, &page); err != nil {
			return httpclient.Retryable(err)
		}
		fmt.Println(page.Value, "after", tries, "requests")
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}

	request.URL = "https://elsewhere.example/next"
	err = client.Fetch(context.Background(), request, nil)
	fmt.Println(httpclient.KindOf(err), httpclient.IsRetryable(err))
	// Output:
	// [a b] after 2 requests
	// host false
}
