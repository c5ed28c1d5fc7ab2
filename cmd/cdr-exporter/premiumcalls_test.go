package main_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestPremiumCalls: after a burst of calls to premium numbers, the status page names the accounts
// behind it, if the provider has them, and the command that lists the callers. That command does
// so, redacted as configured; the page never has a number. Calls of the history aren't a burst.
func TestPremiumCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := func(at time.Time, extension, number string) (text string) { // Ofcom set these numbers aside for drama
		for range 6 {
			text += fmt.Sprintf(`"",%q,%q,"x","",%q,"PJSIP/carrier-00000002","Dial","",%q,%[4]q,%[4]q,`+
				`60,60,"ANSWERED","DOCUMENTATION"`+"\n",
				extension, number, "PJSIP/"+extension+"-00000001", at.UTC().Format(time.DateTime))
		}
		return text
	}
	now := time.Now()
	s.write("Master.csv", rows(now.Add(-30*time.Hour), "301", "+449098790301")+
		rows(now.Add(-10*time.Minute), "302", "+449098790302"))
	s.write("desk.yaml",
		`{provider: desk, files: {read: lines, format: csv, columns: [id, at, caller, callee, user]},
		feeds: {calls: {record: {id: id, start: {path: at, time: unix}, duration: {is: "60", unit: s},
		direction: {is: outbound}, outcome: {is: answered}, caller: caller, callee: callee, user_id: user}}}}`)
	desk := ""
	for i := range 6 {
		desk += fmt.Sprintf("%d,%d,+12065550100,+449098790303,anna-the-agent\n", i, now.Unix()-600)
	}
	s.write("desk.csv", desk)
	s.vault.hide("a user", "anna-the-agent")
	config := s.write("config.yaml", "storage: {path: ledger}\ndefinitions: [desk.yaml]\n"+
		"privacy: {numbers: keep}\nsources:\n  - name: desk\n    desk: {paths: [desk.csv], calls: {interval: 1s}}\n"+
		"  - name: pbx\n    history: 72h\n    asterisk: {paths: [Master.csv], time_zone: UTC, trunks: "+
		"[PJSIP/carrier], cdr: {interval: 1s}}\n")
	x := start(t, s.vault, launch{config: config}).ready()
	bursts := make(map[string]finding)
	eventually(t, "find both bursts", func() error {
		all := x.status().Verdict.Findings
		for _, f := range all {
			if strings.HasPrefix(f.What, "6 calls to premium numbers of GB were read within an hour") {
				bursts[f.Subject] = f
			}
		}
		if len(bursts) < 2 {
			return fmt.Errorf("found %+v", all)
		}
		return nil
	})
	found := bursts["pbx cdr"]
	if strings.Contains(found.What, " by ") {
		t.Errorf("found %+v, but this provider doesn't tell who called", found)
	}
	if of := regexp.MustCompile(`: 6 by [0-9a-z:]{8,}$`); !of.MatchString(bursts["desk calls"].What) {
		t.Errorf("found %+v, want who called", bursts["desk calls"])
	}
	for _, path := range []string{"/", "/api/v1/status", "/metrics"} {
		if body, err := x.client.get(path); err != nil || strings.Contains(string(body), "9098790") {
			t.Errorf("%s has the number, or fails: %v", path, err)
		}
	}
	_, command, _ := strings.Cut(found.Remedy, "cdr-exporter ")
	incident := start(t, s.vault, launch{args: append(strings.Fields(command), "--output=json")})
	incident.exited(0)
	if out := incident.out.String(); !strings.Contains(out, `"caller": "302"`) || strings.Contains(out, `"301"`) {
		t.Errorf("%s says: %s", command, out)
	}
	x.stop()
}
