// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"fmt"
	"io"
	"time"

	"k8s.io/utils/clock"
)

const (
	// redraw is how often a bar changes.
	redraw = 100 * time.Millisecond
	// lineEvery is how often a line is written if there is no terminal.
	lineEvery = 5 * time.Second
)

// Meter shows states on a writer.
type Meter struct {
	out   io.Writer
	clock clock.PassiveClock
	// width is the width of the terminal, or 0 if the writer is not one.
	width         int
	started, last time.Time
	drawn         bool
}

// NewMeter returns a meter that starts now. width is the width of the terminal, or 0 if out is
// not a terminal.
func NewMeter(out io.Writer, now clock.PassiveClock, width int) *Meter {
	return &Meter{out: out, clock: now, width: width, started: now.Now(), last: now.Now()}
}

// Show shows the state, unless it has just shown another one.
func (m *Meter) Show(state State) {
	now := m.clock.Now()
	every := lineEvery
	if m.width > 0 {
		every = redraw
	}
	if now.Sub(m.last) < every {
		return
	}
	m.last = now
	state.Elapsed = now.Sub(m.started)
	if m.width == 0 {
		fmt.Fprintln(m.out, state.Line())
		return
	}
	// The last column stays empty: some terminals wrap after a character in it.
	fmt.Fprintf(m.out, "\r%s\x1b[K", state.Bar(m.width-1))
	m.drawn = true
}

// Clear removes the bar, so that other lines can be written.
func (m *Meter) Clear() {
	if m.drawn {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.drawn = false
	}
}

// Elapsed returns the time since the start.
func (m *Meter) Elapsed() time.Duration { return m.clock.Since(m.started) }
