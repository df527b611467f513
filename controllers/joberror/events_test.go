// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"fmt"
	"strings"
	"testing"

	"joberror.io/operator/internal/truncate"
)

func TestLongestErrorFitsAnEvent(t *testing.T) {
	t.Parallel()
	name, text := strings.Repeat("n", 253), strings.Repeat("🙂", 32768)
	note := fmt.Sprintf("JobError %s: %s %s", name, truncate.Bytes(text, maxCodeInEvent), truncate.Bytes(text, maxMessageInEvent))
	if len(note) > 1024 {
		t.Errorf("the note has %d bytes, want at most 1,024", len(note))
	}
}
