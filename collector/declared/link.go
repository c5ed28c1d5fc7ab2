package declared

import (
	"net/http"
	"net/url"
	"strings"
)

// nextLink is the address that the Link headers of an answer give for a relation (RFC 8288), relative to the address of the page; empty: none.
func nextLink(header http.Header, relation, page string) string {
	for _, line := range header.Values("Link") {
		for line != "" {
			var target string
			var relations []string
			target, relations, line = cutLink(line)
			for _, one := range relations {
				if target != "" && strings.EqualFold(one, relation) {
					return resolved(target, page)
				}
			}
		}
	}
	return ""
}

// resolved is a link as an address like that of the page. What can't be read stays: the client refuses it.
func resolved(link, page string) string {
	base, err := url.Parse(page)
	if err != nil {
		return link
	}
	target, err := base.Parse(link)
	if err != nil {
		return link
	}
	return target.String()
}

// cutLink reads the first link of a header: <address>; rel="next"; title="…", and what follows its comma.
func cutLink(line string) (target string, relations []string, rest string) {
	line = strings.TrimLeft(line, " \t,")
	if !strings.HasPrefix(line, "<") {
		return "", nil, ""
	}
	target, rest, found := strings.Cut(line[1:], ">")
	if !found {
		return "", nil, ""
	}
	given := false
	for {
		rest = strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(rest, ";") {
			return target, relations, rest
		}
		var name, value string
		name, value, rest = cutParameter(rest[1:])
		if strings.EqualFold(name, "rel") && !given { // only the first one counts
			relations, given = strings.Fields(value), true
		}
	}
}

// cutParameter reads one parameter of a link, whose value may be quoted.
func cutParameter(text string) (name, value, rest string) {
	end := strings.IndexAny(text, "=;,")
	if end < 0 || text[end] != '=' {
		if end < 0 {
			end = len(text)
		}
		return strings.TrimSpace(text[:end]), "", text[end:]
	}
	name, text = strings.TrimSpace(text[:end]), strings.TrimLeft(text[end+1:], " \t")
	if !strings.HasPrefix(text, `"`) {
		if end = strings.IndexAny(text, ";,"); end < 0 {
			end = len(text)
		}
		return name, strings.TrimSpace(text[:end]), text[end:]
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return name, b.String(), text[i+1:]
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		b.WriteByte(text[i])
	}
	return name, b.String(), ""
}
