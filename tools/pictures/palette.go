package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
)

// shrink writes a PNG with a palette: of the colours that most of the picture has, and for
// the rest the nearest. Pages have few colours, and many shades where letters have edges.
// The palette has 256 colours, or fewer if it takes that to get below so many bytes.
func shrink(raw []byte, most int) ([]byte, error) {
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	bounds := picture.Bounds()
	count := map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(picture, x, y)]++
		}
	}
	all := commonest(count)
	for _, colours := range []int{256, 128, 96, 64} {
		small, err := paletted(picture, count, all[:min(colours, len(all))])
		if err != nil || len(small) <= most {
			return small, err
		}
	}
	return nil, fmt.Errorf("the picture has more than %d bytes with 64 colours too", most)
}

// paletted writes a picture with a palette.
func paletted(picture image.Image, count map[color.RGBA]int, palette color.Palette) ([]byte, error) {
	bounds := picture.Bounds()
	nearest := map[color.RGBA]uint8{}
	for c := range count {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[at(picture, x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err := encoder.Encode(&out, small)
	return out.Bytes(), err
}

func at(picture image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
}

// alike is up to what difference a colour isn't one of its own in a palette, so that the
// many shades of grey leave room for what is rare.
const alike = 8

// commonest are the 256 colours that most pixels have, without those that are alike.
func commonest(count map[color.RGBA]int) color.Palette {
	all := slices.SortedFunc(maps.Keys(count), func(x, y color.RGBA) int {
		return cmp.Or(count[y]-count[x], int(x.R)-int(y.R), int(x.G)-int(y.G), int(x.B)-int(y.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range all {
		near := func(p color.Color) bool { return difference(c, p.(color.RGBA)) <= alike }
		if len(palette) < cap(palette) && !slices.ContainsFunc(palette, near) {
			palette = append(palette, c)
		}
	}
	return palette
}

// difference is how far two colours are from each other.
func difference(a, b color.RGBA) int {
	far := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return far(a.R, b.R) + far(a.G, b.G) + far(a.B, b.B)
}
