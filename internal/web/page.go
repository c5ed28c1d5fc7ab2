package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// page renders the status page.
type page struct {
	template *template.Template
	// metrics is the metrics' address as the page refers to it.
	metrics string
	// policy is the Content-Security-Policy that lets the page's own style and
	// script run and nothing else.
	policy string
}

func newPage(metricsPath string) (*page, error) {
	parsed, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("parse status page: %w", err)
	}
	return &page{template: parsed, metrics: relative(metricsPath), policy: policy()}, nil
}

// relative is a path as seen from the page, so that links work behind a proxy
// that serves the page under a prefix. The dot keeps a colon in the path from
// being taken for a scheme.
func relative(path string) string { return "." + path }

// policy names the style and the script by their hashes: unlike nonces these need
// no randomness, and an answer can be compared with what it should be. It asks for
// trusted types, because the script writes text and never markup.
func policy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"style-src '" + hash(pageCSS) + "'",
		"script-src '" + hash(pageJS) + "'",
		"connect-src 'self'",
		"img-src data:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	}, "; ")
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// render writes the page whole before anything of it is sent.
func (p *page) render(status Status) ([]byte, error) {
	var body bytes.Buffer
	if err := p.template.Execute(&body, p.view(status)); err != nil {
		return nil, fmt.Errorf("render status page: %w", err)
	}
	return body.Bytes(), nil
}
