package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// drawing is a chart as the page writes it: shapes and texts with a class each, so that
// the style sheet colours it and the Content-Security-Policy needn't allow styles in
// elements. The template escapes all of it.
type drawing struct {
	Width, Height int
	Shapes        []shape
	Texts         []chartText
}

// shape is all that is drawn in one class, one after the other.
type shape struct{ Class, Path string }

// chartText is a label, and where its left end is.
type chartText struct{ X, Y, Text string }

// parseDrawing takes shapes and texts out of the library's SVG. What it doesn't know is
// an error, not passed on.
func parseDrawing(svg []byte) (*drawing, error) {
	d := &drawing{Width: chartWidth, Height: chartHeight}
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse chart: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := d.take(decoder, start); err != nil {
				return nil, fmt.Errorf("parse chart: %w", err)
			}
		}
	}
}

func (d *drawing) take(decoder *xml.Decoder, start xml.StartElement) error {
	attributes := make(map[string]string, len(start.Attr))
	for _, a := range start.Attr {
		attributes[a.Name.Local] = a.Value
	}
	switch start.Name.Local {
	case "svg":
		return nil
	case "path":
		return d.takePath(attributes)
	case "text":
		var text string
		if err := decoder.DecodeElement(&text, &start); err != nil {
			return err
		}
		if text != "" {
			d.Texts = append(d.Texts, chartText{attributes["x"], attributes["y"], text})
		}
		return nil
	default:
		return fmt.Errorf("<%s> isn't known", start.Name.Local)
	}
}

// takePath adds a path to the last shape if it has the same class, since one long path
// is a third of many short ones.
func (d *drawing) takePath(attributes map[string]string) error {
	class, err := classOf(attributes["style"])
	if err != nil || class == "" || class != "axis" && class != "grid" && flat(attributes["d"]) {
		return err
	}
	path := shortPath(attributes["d"])
	if last := len(d.Shapes) - 1; last >= 0 && d.Shapes[last].Class == class {
		d.Shapes[last].Path += path
		return nil
	}
	d.Shapes = append(d.Shapes, shape{class, path})
	return nil
}

// classOf is the class that a style's marker stands for; empty if nothing is to be seen.
func classOf(style string) (string, error) {
	for property := range strings.SplitSeq(style, ";") {
		name, value, _ := strings.Cut(property, ":")
		if value == "none" || name != "fill" && name != "stroke" {
			continue
		}
		if class := classes[value]; class != "" {
			return class, nil
		}
		return "", fmt.Errorf("the colour %s isn't known", value)
	}
	return "", nil
}

// flat says whether a path has no height: a bar of nothing.
func flat(path string) bool {
	height := ""
	for line := range strings.Lines(path) {
		y := line[strings.LastIndexByte(line, ' ')+1:]
		y = strings.TrimSuffix(y, "\n")
		if height != "" && y != height {
			return false
		}
		height = y
	}
	return true
}

// shortPath leaves out the blanks that a path doesn't need.
func shortPath(path string) string {
	return strings.NewReplacer("\n", "", "M ", "M", "L ", "L").Replace(path)
}
