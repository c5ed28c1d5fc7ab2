package web

import (
	"crypto/sha256"
	_ "embed" // the style, the script and the icon
	"encoding/hex"
	"net/http"
)

var (
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
	//go:embed icon.svg
	pageIcon string
)

// asset is an embedded file.
type asset struct{ contentType, text string }

// assets are the files that the page refers to.
func assets() map[string]asset {
	return map[string]asset{
		pathStyle:  {"text/css; charset=utf-8", pageCSS},
		pathScript: {"text/javascript; charset=utf-8", pageJS},
		pathIcon:   {"image/svg+xml", pageIcon},
	}
}

// address is the asset's link. It changes with the text, so that browsers can cache it
// for ever.
func (a asset) address(path string) string {
	sum := sha256.Sum256([]byte(a.text))
	return relative(path) + "?v=" + hex.EncodeToString(sum[:6])
}

// ServeHTTP implements http.Handler.
func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Header().Set("Content-Type", a.contentType)
	_, _ = w.Write([]byte(a.text))
}
