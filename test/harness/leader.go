// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"net/http"
	"testing"

	"joberror.io/operator/internal/attribution"
)

// Leader returns the name of the operator's pod that last wrote the lease.
func (c *Cluster) Leader(t testing.TB) string {
	t.Helper()
	name := ""
	for event := range c.Audit(t) {
		if event.User.Username != attribution.OperatorUser || event.ObjectRef == nil || event.ObjectRef.Resource != "leases" || event.ResponseStatus.Code != http.StatusOK {
			continue
		}
		if pods := event.User.Extra["authentication.kubernetes.io/pod-name"]; len(pods) == 1 {
			name = pods[0]
		}
	}
	return name
}
