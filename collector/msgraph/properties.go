package msgraph

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxNames bounds how many names of new properties are remembered.
const maxNames = 256

// property is a property of a row type: an index into its names.
type property int

// unknownProperty is one that the row type didn't have when this was written.
const unknownProperty property = -1

// propertyNames finds properties by name: as Graph writes it, else without case. It
// is for one goroutine.
type propertyNames struct {
	names []string
	// snake are the names in snake case, for attributes.
	snake []string
	known map[string]property
}

func newPropertyNames(names []string) *propertyNames {
	p := &propertyNames{names: names, known: make(map[string]property, 2*len(names))}
	for i, name := range names {
		p.known[name] = property(i)
		p.snake = append(p.snake, cdr.CallType(name)) // the rules of call types are those of snake case
	}
	return p
}

func (p *propertyNames) find(name []byte) property {
	if found, ok := p.known[string(name)]; ok {
		return found
	}
	return p.findFolded(string(name))
}

// findFolded remembers what it found, since the next row has the same properties.
func (p *propertyNames) findFolded(name string) property {
	found := unknownProperty
	for i, known := range p.names {
		if strings.EqualFold(known, name) {
			found = property(i)
		}
	}
	if len(p.known) < maxNames {
		p.known[name] = found
	}
	return found
}
