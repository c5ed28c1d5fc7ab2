package declared

import "time"

// Files says how records that another program writes to files are read.
type Files struct {
	// Read is lines for files that grow, or whole for files that are written once.
	Read   string `yaml:"read"`
	Format string `yaml:"format"`
	// Columns are the names of a row's values; without them the first line has the names.
	Columns []string `yaml:"columns"`
	// Widths are the numbers of values that a row may have; empty: any.
	Widths    []int  `yaml:"widths"`
	Separator string `yaml:"separator"`
	// Skip is how many lines follow the names that are no rows.
	Skip int `yaml:"skip"`
	// Quiet is how long the size of a whole file must rest for it to be complete.
	Quiet time.Duration `yaml:"quiet"`
}
