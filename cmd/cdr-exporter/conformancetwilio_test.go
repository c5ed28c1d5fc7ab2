//go:build conformance && twilio

package main_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// twilioDocument is Twilio's OpenAPI document of its list of calls, without two formats that
// contradict the rest of it: it describes the filters by start as dates, and its examples have
// paths for the next page.
func twilioDocument(t *testing.T) (file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv("SPECS"), "twilio_api_v2010.json"))
	var document map[string]any
	if err := errors.Join(err, json.Unmarshal(text, &document)); err != nil {
		t.Fatal(err)
	}
	const calls = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
	path := document["paths"].(map[string]any)[calls].(map[string]any)
	document["paths"] = map[string]any{calls: path} // Prism takes minutes for all of them
	for _, p := range path["get"].(map[string]any)["parameters"].([]any) {
		if parameter := p.(map[string]any); strings.HasPrefix(parameter["name"].(string), "StartTime") {
			delete(parameter["schema"].(map[string]any), "format")
		}
	}
	page := path["get"]
	for _, key := range []string{
		"responses", "200", "content", "application/json", "schema", "properties",
		"next_page_uri",
	} {
		page = page.(map[string]any)[key]
	}
	delete(page.(map[string]any), "format")
	if text, err = json.Marshal(document); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "twilio.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestConformance_Twilio: what the definition asks, and what its simulator answers, go through
// Prism with Twilio's own document.
func TestConformance_Twilio(t *testing.T) {
	document, calls := twilioDocument(t), listedCalls(400)
	s := newListServer(t, calls, serveTwilio)
	s.faultless = true
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	p := startPrism(t, document, s.URL, ca)
	front := p.front(s.URL, s.Client().Transport,
		func(path string) bool { return strings.HasSuffix(path, "/Calls.json") })
	x := start(t, newVault(t), launch{config: s.write(t, twilioBlock(front.URL))}).ready()
	x.countsList(calls, "calls", true)
	x.stop()
	for _, line := range p.strayed() {
		t.Error(line)
	}
	if p.served("/2010-04-01/Accounts/"+twilioAccount+"/Calls.json") == 0 {
		t.Errorf("nothing went through Prism:\n%s", p.log())
	}
}
