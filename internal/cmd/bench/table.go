package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// table is what the command prints.
type table struct {
	rows   []row
	missed int
}

type row struct{ what, measured, goal string }

// add puts a row without a goal.
func (t *table) add(what, measured string) {
	t.rows = append(t.rows, row{what: what, measured: measured})
}

// judge puts a row with a goal and whether it was met.
func (t *table) judge(what, measured, goal string, met bool) {
	if !met {
		t.missed++
		goal += " (missed)"
	}
	t.rows = append(t.rows, row{what, measured, goal})
}

func (t *table) print(out io.Writer) {
	fmt.Fprint(out, "| what | measured | goal |\n|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(out, "| %s | %s | %s |\n", r.what, r.measured, r.goal)
	}
}

// series are the samples of one program, in the order they were taken.
type series []sample

func (s series) wall() time.Duration {
	return median(s, func(x sample) time.Duration { return x.wall })
}

func (s series) cpu() time.Duration {
	return median(s, func(x sample) time.Duration { return x.cpu })
}

func (s series) connections() int {
	return median(s, func(x sample) int { return x.connections })
}

// ratio is the median of s/t, round by round: what slows one round down slows
// both down.
func (s series) ratio(t series) float64 {
	var ratios []float64
	for i := range s {
		ratios = append(ratios, float64(s[i].wall)/float64(t[i].wall))
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// median of one measure: the upper one of two.
func median[T int | time.Duration](s series, of func(sample) T) T {
	var values []T
	for _, x := range s {
		values = append(values, of(x))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func times(ratio float64) string { return fmt.Sprintf("%.2f ×", ratio) }
