// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"strings"
	"testing"

	"joberror.io/operator/internal/truncate"
)

func TestTheLongestErrorFitsTheNoteOfAnEvent(t *testing.T) {
	t.Parallel()
	name, text := strings.Repeat("n", 253), strings.Repeat("🙂", 32768)
	note := fmt.Sprintf("JobError %s: %s %s", name, truncate.String(text, codeInEvent), truncate.String(text, messageInEvent))
	if len(note) > 1024 {
		t.Errorf("the note takes %d bytes of the 1,024 that it has", len(note))
	}
}
