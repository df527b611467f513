// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// patches lists the bodies of patches of an error. The page sends them while the aggregated API is
// down.
var patches = []string{`{"spec":{"resolved":true}}`, `{"spec":{"resolved":false}}`}

// checkPatch refuses patches that do more than resolve or reopen an error.
func checkPatch(_ *Console, r *http.Request) *refusal {
	if r.Method != http.MethodPatch {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64))
	if err != nil || !slices.Contains(patches, string(body)) {
		return &refusal{http.StatusForbidden, "The console forwards only patches that resolve or reopen an error."}
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	return nil
}
