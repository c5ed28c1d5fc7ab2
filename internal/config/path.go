package config

import (
	"strconv"
	"strings"
)

// maxShown is how much of a text from the file is repeated in a problem.
const maxShown = 60

// joinPath puts a key, an index or a further path behind a path.
func joinPath(path, key string) string {
	if path == "" || key == "" || strings.HasPrefix(key, "[") {
		return path + key
	}
	return path + "." + key
}

// segment writes a key as a part of a path. Keys with other characters than
// letters, digits, _ and - are quoted, so that a path is always one line and
// never ambiguous.
func segment(key string) string {
	simple := key != ""
	for _, c := range key {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		simple = simple && (letter || c >= '0' && c <= '9' || c == '_' || c == '-')
	}
	if simple && len(key) <= maxShown {
		return key
	}
	return "[" + shorten(key) + "]"
}

// indexed writes the path of an element of a list.
func indexed(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// parentPath cuts the last key or index off a path; ok is false at its beginning.
func parentPath(path string) (parent string, ok bool) {
	if path == "" {
		return "", false
	}
	if strings.HasSuffix(path, `"]`) {
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i], true
		}
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))], true
}

// shorten quotes a text and cuts it to a length that fits into a message.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	return strconv.Quote(text)
}
