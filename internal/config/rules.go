package config

import "reflect"

// SchemaURL is where editors find the schema of the configuration.
const SchemaURL = "https://raw.githubusercontent.com/cdr-exporter/cdr-exporter/main/docs/config.schema.json"

// Rules are what a [Validator] declares of its keys with the methods of [Report].
type Rules struct {
	// Required keys must be in the file.
	Required []string
	// Values are those that a key may have; of an element of a list it is "types[0]".
	Values map[string][]string
	// Least is the least number that a key may have.
	Least map[string]int64
	// AnyOf and ExactlyOne are groups of keys of which at least one, or exactly one, must be in the file.
	AnyOf, ExactlyOne [][]string
	// NotBoth are pairs of keys of which at most one may be in the file.
	NotBoth [][]string
}

// RulesOf lists the rules of a struct type, which its Validate declares for a value that has its defaults.
func RulesOf(t reflect.Type) *Rules {
	d := &decoder{rules: &Rules{Values: map[string][]string{}, Least: map[string]int64{}}, broken: map[string]bool{}}
	v := reflect.New(t).Elem()
	setDefaults(v)
	d.validate(v, "")
	return d.rules
}
