// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"maps"
	"testing"
)

// The marks are those that the tools write to the Jobs that they create.
func TestStripsMarks(t *testing.T) {
	t.Parallel()
	type values = map[string]string
	for name, tc := range map[string]struct {
		labels, annotations         values
		keptLabels, keptAnnotations values
	}{
		"no labels": {nil, nil, nil, nil},
		"a Job's own": {
			values{"team": "data", "batch.kubernetes.io/job-name": "import", "job-name": "import"}, values{"joberror.io/retention": "7d", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-22T02:00:00Z"},
			values{"team": "data"}, values{"joberror.io/retention": "7d", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-11-22T02:00:00Z"},
		},
		"kubectl apply": {
			nil, values{"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "data"},
			nil, values{"owner": "data"},
		},
		"Helm": {
			values{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "import", "helm.sh/chart": "import-1.0"},
			values{"meta.helm.sh/release-name": "import", "meta.helm.sh/release-namespace": "team", "helm.sh/hook": "post-install"},
			values{"app.kubernetes.io/instance": "import", "helm.sh/chart": "import-1.0"}, nil,
		},
		"another manager": {values{"app.kubernetes.io/managed-by": "operator"}, nil, values{"app.kubernetes.io/managed-by": "operator"}, nil},
		"Argo CD by its annotation": {
			values{"app.kubernetes.io/instance": "import"}, values{"argocd.argoproj.io/tracking-id": "import:batch/Job:team/import", "argocd.argoproj.io/hook": "Sync"},
			values{"app.kubernetes.io/instance": "import"}, nil,
		},
		"Argo CD by the label": {values{"app.kubernetes.io/instance": "import"}, nil, nil, nil},
		"Flux": {
			values{"kustomize.toolkit.fluxcd.io/name": "import", "kustomize.toolkit.fluxcd.io/namespace": "flux-system", "helm.toolkit.fluxcd.io/name": "import", "team": "data"}, nil,
			values{"team": "data"}, nil,
		},
		"Kueue":            {values{"kueue.x-k8s.io/priority-class": "high"}, nil, values{"kueue.x-k8s.io/priority-class": "high"}, nil},
		"an earlier retry": {values{"joberror.io/lineage": "1"}, values{"joberror.io/retry": "2", "joberror.io/retry-of": "1"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := failedJob(labeled(tc.labels), annotated(tc.annotations))
			before := failedJob(labeled(maps.Clone(tc.labels)), annotated(maps.Clone(tc.annotations)))
			stripped := job.DeepCopy()
			stripMarks(stripped)
			if !maps.Equal(stripped.Labels, tc.keptLabels) || !maps.Equal(stripped.Annotations, tc.keptAnnotations) {
				t.Errorf("kept %v and %v, want %v and %v", stripped.Labels, stripped.Annotations, tc.keptLabels, tc.keptAnnotations)
			}
			if !maps.Equal(job.Labels, before.Labels) || !maps.Equal(job.Annotations, before.Annotations) {
				t.Error("the failed Job was changed")
			}
		})
	}
}
