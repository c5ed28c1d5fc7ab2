package main

// gridPos is where a panel is on Grafana's grid.
type gridPos struct{ X, Y, W, H int }

// The grid's columns, and how it is drawn, in pixels.
const (
	columns    = 24
	pageWidth  = 1440
	pageMargin = 16
	unitHeight = 36
	gap        = 8
)

// rectangle is a place on the page, in pixels.
type rectangle struct{ Left, Top, Width, Height int }

// place is where a panel goes on the page, the gap to its neighbours taken off. The
// last column ends where the margin begins.
func (g gridPos) place() rectangle {
	const inner = pageWidth - 2*pageMargin + gap
	left, right := g.X*inner/columns, (g.X+g.W)*inner/columns
	return rectangle{Left: pageMargin + left, Top: g.Y * unitHeight, Width: right - left - gap, Height: g.H*unitHeight - gap}
}

// height is that of all panels.
func (b *board) height() int {
	bottom := 0
	for i := range b.Panels {
		bottom = max(bottom, b.Panels[i].GridPos.Y+b.Panels[i].GridPos.H)
	}
	return bottom * unitHeight
}
