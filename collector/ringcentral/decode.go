package ringcentral

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// rowOptions: text that isn't UTF-8 is repaired; a repeated name is an error, because
// either value may be the right one.
var rowOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(false))

// decodeRow reads a row, which is valid JSON, or says what is wrong with it without
// anything of its content.
func decodeRow(value []byte, into *row) (problem string) {
	*into = row{}
	if value[0] != '{' {
		return "it is no object"
	}
	if err := json.Unmarshal(value, into, rowOptions); err != nil {
		return problemOf(err)
	}
	// Ids are compared by their bytes, so one that had to be repaired could be taken for
	// another.
	if !utf8.Valid(value) && strings.ContainsRune(into.ID, utf8.RuneError) {
		return "id is not UTF-8"
	}
	if slices.Contains(into.Legs, nil) {
		return "legs holds null"
	}
	return ""
}

// problemOf words what the decoder says of a row. Its own text may quote the row. The path has only names that the mapping knows, and
// positions, since nothing else is decoded.
func problemOf(err error) string {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return "a member is given twice"
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return "it can't be decoded"
	}
	path := strings.Join(slices.Collect(semantic.JSONPointer.Tokens()), ".")
	return path + " is not of the type that is documented"
}
