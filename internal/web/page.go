package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
)

//go:embed page.html feeds.html charts.html
var pages embed.FS

// policy is the page's Content-Security-Policy: only its own files, no inline style or
// script. The script writes no markup, hence the trusted types.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// page renders the status page.
type page struct {
	template *template.Template
	links    links
}

// links are addresses as seen from the page.
type links struct{ Style, Script, Icon, Metrics, Status, Activity, Healthy, Ready, Page string }

func newPage(metricsPath string) (*page, error) {
	parsed, err := template.New("").Funcs(functions()).ParseFS(pages, "*.html")
	if err != nil {
		return nil, fmt.Errorf("parse status page: %w", err)
	}
	own := assets()
	return &page{template: parsed, links: links{
		Style: own[pathStyle].address(pathStyle), Script: own[pathScript].address(pathScript), Icon: own[pathIcon].address(pathIcon),
		Metrics: relative(metricsPath), Status: relative(pathStatus), Activity: relative(pathActivity),
		Healthy: relative(pathHealthy), Ready: relative(pathReady), Page: relative(pathPage),
	}}, nil
}

// relative is a path as seen from the page, so that links work behind a proxy
// with a prefix. The dot keeps a colon in the path from being read as a scheme.
func relative(path string) string { return "." + path }

// render returns the whole page, so that an error can still be answered with 500.
func (p *page) render(v view) ([]byte, error) {
	var body bytes.Buffer
	v.Links = p.links
	if err := p.template.ExecuteTemplate(&body, "page.html", v); err != nil {
		return nil, fmt.Errorf("render status page: %w", err)
	}
	return body.Bytes(), nil
}
