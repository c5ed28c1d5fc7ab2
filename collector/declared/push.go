package declared

// Push says how records come that a system posts to the webhook listener.
type Push struct {
	Format string `yaml:"format"`
	// Field is the field of a form that holds the record.
	Field string `yaml:"field"`
}
