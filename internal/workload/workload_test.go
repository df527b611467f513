// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		jobID    string
		labels   map[string]string
		workload string
		want     Key
	}{
		"Job":                  {"train", nil, "", Key{"team", "Job", "train"}},
		"CronJob":              {"nightly-1", map[string]string{joberrorv1.LabelCronJobName: "nightly"}, "", Key{"team", "CronJob", "nightly"}},
		"reported by a run":    {"nightly-1", nil, "CronJob/nightly", Key{"team", "CronJob", "nightly"}},
		"controlled":           {"train-w-0", nil, "JobSet/train", Key{"team", "JobSet", "train"}},
		"retry":                {"train-r2", map[string]string{joberrorv1.LabelJobName: "train-r2", joberrorv1.LabelJobUID: "u", joberrorv1.LabelLineage: "root"}, "", Key{"team", "Job", "train"}},
		"named like a retry":   {"train-r2", map[string]string{joberrorv1.LabelJobName: "train-r2", joberrorv1.LabelJobUID: "u"}, "", Key{"team", "Job", "train-r2"}},
		"limit of a namespace": {joberrorv1.NamespaceJobID, nil, "", Key{"team", "Namespace", "team"}},
		"forged":               {"train", nil, "JobSet/" + strings.Repeat("x", 300), Key{"team", "Job", "train"}},
		"forged without name":  {"train", nil, "JobSet", Key{"team", "Job", "train"}},
	} {
		je := &joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Labels: c.labels}, Spec: joberrorv1.JobErrorSpec{JobID: c.jobID},
		}
		if c.workload != "" {
			je.Annotations = map[string]string{joberrorv1.AnnotationWorkload: c.workload}
		}
		if got := Of(je); got != c.want {
			t.Errorf("%s: workload = %v, want %v", name, got, c.want)
		}
	}
}
