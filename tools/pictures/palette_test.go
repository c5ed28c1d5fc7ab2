package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestShrink: what most of a picture has stays as it is, the rest is near.
func TestShrink(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 100, 40))
	for y := range 40 {
		for x := range 100 {
			picture.Set(x, y, color.RGBA{200, 100, 50, 255})
		}
	}
	for i := range 300 { // more shades than a palette has
		picture.Set(i%100, i/100, color.RGBA{uint8(i * 37 % 256), uint8(i * 91 % 256), uint8(i * 13 % 256), 255})
	}
	var raw bytes.Buffer
	if err := png.Encode(&raw, picture); err != nil {
		t.Fatal(err)
	}
	small, err := shrink(raw.Bytes(), maxSize)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.(*image.Paletted); !ok || got.Bounds() != picture.Bounds() {
		t.Fatalf("it is a %T of %v", got, got.Bounds())
	}
	for y := range 40 {
		for x := range 100 {
			a, b := at(picture, x, y), at(got, x, y)
			if y > 2 && a != b || difference(a, b) > 80 {
				t.Fatalf("at %d, %d: %v became %v", x, y, a, b)
			}
		}
	}
	if less, err := shrink(raw.Bytes(), len(small)-1); err != nil || len(less) >= len(small) {
		t.Errorf("with fewer colours it has %d bytes, before %d: %v", len(less), len(small), err)
	}
	if _, err := shrink(raw.Bytes(), 100); err == nil {
		t.Error("what is too large is taken")
	}
	if _, err := shrink([]byte("no picture"), maxSize); err == nil {
		t.Error("what is no picture is taken")
	}
}

// TestPictures: what is made is in docs, and small enough for README.
func TestPictures(t *testing.T) {
	boards, err := readBoards()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "..", "docs", "images")
	for _, s := range (&settings{}).shots("", boards) {
		text, err := os.ReadFile(filepath.Join(folder, s.Name+".png"))
		if err != nil {
			t.Errorf("make pictures: %v", err)
			continue
		}
		size, err := png.DecodeConfig(bytes.NewReader(text))
		if err != nil || size.Width != pageWidth || len(text) > maxSize {
			t.Errorf("%s: %d wide, %d bytes, %v", s.Name, size.Width, len(text), err)
		}
	}
}
