package laws

// layout says how rows of columns stand in a file, or in an answer.
type layout struct {
	columns   []string
	separator string
	quotes    bool // values may be quoted
	names     bool // a file begins with the names
	skip      int  // number of lines after them
}

func (b *bench) layout() layout {
	l := layout{columns: b.feed.Columns, separator: ",", quotes: true}
	if f := b.feed.Lines(); f != nil {
		l.columns, l.separator, l.quotes, l.skip = f.Columns, f.Separator, f.HasQuotes(), f.Skip
	}
	if len(l.columns) == 0 {
		l.columns, l.names = b.columns, true
	}
	return l
}

// heading are the lines of a file of CSV that come before its rows.
func (l *layout) heading() (all []string) {
	if l.names {
		for range 1 + l.skip {
			all = append(all, l.join(l.columns))
		}
	}
	return all
}

// csv are rows as lines of CSV, with the lines before them.
func (b *bench) csv(texts []string) []string {
	l := b.layout()
	return append(l.heading(), l.lines(texts)...)
}

func (l *layout) lines(texts []string) (all []string) {
	for _, text := range texts {
		all = append(all, l.line(text))
	}
	return all
}
