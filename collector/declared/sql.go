package declared

// SQL says how rows are read from a database.
type SQL struct {
	// Driver is mysql, postgres or sqlite; it may name a parameter in braces.
	Driver string `yaml:"driver"`
	Query  string `yaml:"query"`
}
