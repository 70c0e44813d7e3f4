package main

import (
	"image"
	"image/color"
	"math"
)

// sizes are those in which Explorer, the taskbar and a console show an icon.
var sizes = []int{256, 64, 48, 32, 24, 16}

var (
	gold = color.NRGBA{0xf2, 0xb6, 0x2c, 0xff}
	edge = color.NRGBA{0x4a, 0x33, 0x06, 0xff} // seen on white and on black
)

// pictures are the icon in every size: a key that lies from the upper left to the
// lower right.
func pictures() []image.Image {
	var all []image.Image
	for _, size := range sizes {
		all = append(all, picture(size))
	}
	return all
}

// picture draws the key on size by size pixels, each the mean of 8 by 8 points.
func picture(size int) image.Image {
	const points = 8
	outline := 0.02
	if size < 48 {
		outline = 0.8 / float64(size) // not less than can be seen
	}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			inside, around := 0, 0
			for p := range points * points {
				at := func(pixel, point int) float64 {
					return (float64(pixel) + (float64(point)+0.5)/points) / float64(size)
				}
				switch d := distance(at(x, p%points), at(y, p/points)); {
				case d <= -outline:
					inside++
				case d <= 0:
					around++
				}
			}
			if inside+around > 0 {
				img.SetNRGBA(x, y, mixed(inside, around, points*points))
			}
		}
	}
	return img
}

// mixed is the colour of a pixel of which that many points are of the key and of
// its outline.
func mixed(inside, around, all int) color.NRGBA {
	mean := func(a, b uint8) uint8 {
		return uint8((int(a)*inside + int(b)*around) / (inside + around))
	}
	return color.NRGBA{mean(gold.R, edge.R), mean(gold.G, edge.G), mean(gold.B, edge.B), uint8(255 * (inside + around) / all)}
}

// distance is how far a point of the unit square is from the key's edge,
// negative inside the key.
func distance(x, y float64) float64 {
	// u runs along the key, v across it, from the middle of its bow.
	const middle, half = 0.31, 0.5 * math.Sqrt2
	u, v := ((x-middle)+(y-middle))*half, ((y-middle)-(x-middle))*half
	bow := math.Abs(math.Hypot(u, v)-0.19) - 0.085
	shaft := box(u-0.51, v, 0.31, 0.065)
	teeth := min(box(u-0.70, v+0.10, 0.05, 0.10), box(u-0.54, v+0.09, 0.045, 0.09))
	return min(bow, shaft, teeth)
}

// box is the distance from a rectangle around the origin.
func box(u, v, width, height float64) float64 {
	du, dv := math.Abs(u)-width, math.Abs(v)-height
	return math.Hypot(max(du, 0), max(dv, 0)) + min(max(du, dv), 0)
}
