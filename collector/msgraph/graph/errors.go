package graph

import (
	"encoding/json"
	"regexp"
)

var (
	guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	// errorCode is what Graph's error codes look like; anything else isn't printed.
	errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)
)

// IsGUID says whether text is a GUID, in any case. Only GUIDs may become part of a link.
func IsGUID(text string) bool { return guid.MatchString(text) }

// Quote is the httpclient.Settings.Quote of Graph: its error code, which says more than the status. Graph's message is left out: it is free text,
// and often empty.
func Quote(answer []byte) string {
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	// An answer that isn't Graph's, such as a gateway's page, has no code.
	if json.Unmarshal(answer, &body) != nil || !errorCode.MatchString(body.Error.Code) {
		return ""
	}
	return "Graph says " + body.Error.Code
}
