// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"container/heap"
	"time"
)

// agenda holds the sightings of the Jobs with one name, and knows which are due without
// looking at the others: ten thousand pods may wait while one fails.
type agenda struct {
	sightings map[sightingID]*sighting
	order     dueOrder
}

func newAgenda() *agenda { return &agenda{sightings: map[sightingID]*sighting{}} }

func (a *agenda) add(id sightingID, s *sighting) {
	a.sightings[id] = s
	heap.Push(&a.order, s)
}

// move puts a sighting in its place after its time has changed.
func (a *agenda) move(s *sighting) { heap.Fix(&a.order, s.index) }

func (a *agenda) remove(id sightingID) {
	heap.Remove(&a.order, a.sightings[id].index)
	delete(a.sightings, id)
}

// due returns the sightings that are due, unordered, and when the next one is due: never if
// no other is left.
func (a *agenda) due(now time.Time) (due []*sighting, next time.Time) {
	next = never
	for unseen := []int{0}; len(unseen) > 0; {
		i := unseen[len(unseen)-1]
		unseen = unseen[:len(unseen)-1]
		switch {
		case i >= len(a.order):
		case a.order[i].due.After(now):
			next = earliest(next, a.order[i].due)
		default:
			due = append(due, a.order[i])
			unseen = append(unseen, 2*i+1, 2*i+2)
		}
	}
	return due, next
}

// dueOrder is a heap of sightings, the earliest due first.
type dueOrder []*sighting

var _ heap.Interface = &dueOrder{}

// Len returns the number of sightings.
func (o dueOrder) Len() int { return len(o) }

// Less reports whether the ith sighting is due before the jth.
func (o dueOrder) Less(i, j int) bool { return o[i].due.Before(o[j].due) }

// Swap exchanges two sightings.
func (o dueOrder) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].index, o[j].index = i, j
}

// Push appends a sighting.
func (o *dueOrder) Push(s any) {
	added := s.(*sighting)
	added.index = len(*o)
	*o = append(*o, added)
}

// Pop removes the last sighting.
func (o *dueOrder) Pop() any {
	last := len(*o) - 1
	s := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return s
}
