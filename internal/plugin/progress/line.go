// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package progress shows how far a long request has come: a bar on a terminal, otherwise a
// line every few seconds.
package progress

import (
	"fmt"
	"strings"
	"time"
)

// State is how far a request has come.
type State struct {
	// Verb says what happens to the items, for example "resolved".
	Verb string
	// Done and Total count the items. Total is 0 as long as it is not known.
	Done, Total int64
	// Share is the part that is done, from 0 to 1, if it is known without a Total.
	Share float64
	// Note is added at the end.
	Note string
	// Elapsed is the time since the start.
	Elapsed time.Duration
}

// barWidth is the width of a bar. The line with it fits into 80 columns.
const barWidth = 20

// Bar returns the state with a bar, cut to this width.
func (s State) Bar(width int) string {
	share, known := s.share()
	text := s.count()
	if known {
		filled := int(share * barWidth)
		text += fmt.Sprintf(" [%s%s] %d%%", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), int(share*100))
	}
	return cut(text+s.rest(), width)
}

// Line returns the state in words.
func (s State) Line() string {
	text := s.count()
	if share, known := s.share(); known {
		text += fmt.Sprintf(" (%d%%)", int(share*100))
	}
	return text + s.rest()
}

func (s State) share() (share float64, known bool) {
	if s.Total > 0 {
		return min(float64(s.Done)/float64(s.Total), 1), true
	}
	return min(s.Share, 1), s.Share > 0
}

func (s State) count() string {
	if s.Total > 0 {
		return fmt.Sprintf("%s %s of %s", s.Verb, Number(s.Done), Number(s.Total))
	}
	return fmt.Sprintf("%s %s", s.Verb, Number(s.Done))
}

// rest returns the rate, the time left and the note.
func (s State) rest() string {
	var text string
	// The first moments say little about the rate.
	if s.Done > 0 && s.Elapsed >= time.Second {
		text = fmt.Sprintf(", %s/s", Number(int64(float64(s.Done)/s.Elapsed.Seconds())))
		if share, known := s.share(); known && share > 0 && share < 1 {
			left := time.Duration(float64(s.Elapsed) * (1 - share) / share)
			text += fmt.Sprintf(", %s left", max(left.Round(time.Second), time.Second))
		}
	}
	if s.Note != "" {
		text += ", " + s.Note
	}
	return text
}

// Number returns a number with commas between thousands.
func Number(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count returns a number with a noun, in the plural unless the number is 1.
func Count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Number(n) + " " + noun
}

func cut(text string, width int) string {
	if runes := []rune(text); width > 0 && len(runes) > width {
		return string(runes[:width])
	}
	return text
}
