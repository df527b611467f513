// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"maps"
	"slices"
)

// counts holds how often each text occurs. The first text takes no map, because most counts
// have only one.
type counts struct {
	first   string
	ofFirst int32
	others  map[string]int32
}

// add adds n to the count of a text.
func (c *counts) add(text string, n int32) {
	if c.ofFirst == 0 && c.others[text] == 0 {
		c.first = text
	}
	if text == c.first {
		c.ofFirst += n
		return
	}
	if c.others == nil {
		c.others = map[string]int32{}
	}
	if c.others[text] += n; c.others[text] == 0 {
		delete(c.others, text)
	}
}

// texts returns the texts with a count.
func (c *counts) texts() []string {
	texts := slices.Collect(maps.Keys(c.others))
	if c.ofFirst != 0 {
		texts = append(texts, c.first)
	}
	return texts
}
