// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/hack/dev/shortlived"
	"joberror.io/operator/test/harness"
)

// TestWhatMakeRunShows takes more than a minute, because a retention can't be shorter.
func TestWhatMakeRunShows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	process, err := cluster.Operate(t.Context(), "operator", shortlived.Flags(dir)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, process) })
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), harness.Key(shortlived.Namespace, "default"), &corev1.ServiceAccount{}); err != nil {
			return "no pod can be created yet: " + err.Error()
		}
		return ""
	})
	if out, err := cluster.Run(t.Context(), strings.NewReader(shortlived.Job), "apply", "-f", "-"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	live := map[types.UID]bool{}
	harness.EventuallyWithin(t, time.Minute, func() string {
		for _, je := range cluster.Errors(t, shortlived.Namespace) {
			live[je.UID] = true
		}
		if len(live) == 0 {
			return "the Job has no error"
		}
		return ""
	})
	harness.EventuallyWithin(t, 2*time.Minute, func() string {
		left := cluster.Errors(t, shortlived.Namespace)
		for _, je := range left {
			live[je.UID] = true
		}
		if len(left) > 0 {
			return fmt.Sprintf("%d errors are left", len(left))
		}
		return ""
	})
	answer := harness.Do(t, cluster.Config(), http.MethodGet, harness.JobErrorsPath(shortlived.Namespace, shortlived.Name)+"?archived=true", "")
	var found []resolvev1.ArchivedRecord
	if err := json.Unmarshal(answer.Body, &found); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("answer = %d %s: %v", answer.Code, answer.Body, err)
	}
	messages := ""
	for i := range found {
		if !live[found[i].Archived.UID] {
			t.Errorf("the archive has %s, which the cluster did not have", found[i].ID)
		}
		messages += found[i].Message + "\n"
	}
	if len(found) != len(live) || !strings.Contains(messages, "this error is kept for a minute, and then in the archive\n") {
		t.Errorf("the archive has %d of %d errors: %s", len(found), len(live), answer.Body)
	}
}
