package sim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// FuzzRequests asks for anything: the answer is always JSON, and never a fault of the
// server's own.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		log + day, log + "view=Detailed&perPage=max&page=99999&" + day, log + "type=Voice&type=Fax&direction=Inbound",
		log + "sessionId=1", log + "view=%zz&&=&", syncs + "syncType=ISync&syncToken=AAAA", syncs + "recordCount=1000",
		company + "active-calls?transport=PSTN", company + "recording/18446744073709551615", company + "call-log/AAAAAAAAAAAzUA",
		extension + "call-log?transport=VoIP&showBlocked=false", "/restapi/v1.0/account//extension///call-log", "/",
	} {
		f.Add(seed)
	}
	server, c := start(f, Settings{Account: world(f, Mix(), 300, busy), Extension: world(f, ExtensionMix(), 100, busy)})
	token := server.begin(time.Hour)
	f.Fuzz(func(t *testing.T, uri string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = r.URL.Parse("/" + strings.TrimLeft(uri, "/")); err != nil || r.URL.Host != "127.0.0.1" {
			return
		}
		r.RequestURI = r.URL.RequestURI()
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		c.server.route(w, r)
		if w.Code >= http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", uri, w.Code, w.Body)
		}
	})
}
