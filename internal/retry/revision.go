// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// maxTemplate limits the size of a template that is kept, in bytes of JSON.
const maxTemplate = 256 << 10

// Revision returns the ControllerRevision that keeps the template of a Job. Jobs with the same
// template have the same revision, by its name, and so have the retries of a Job. Revision returns nil for a template over 256
// KiB.
func Revision(job *batchv1.Job, namespaceUID types.UID) (*appsv1.ControllerRevision, error) {
	template := OriginalTemplate(job)
	template.Spec.Selector, template.Spec.Suspend = nil, nil
	maps.DeleteFunc(template.Annotations, isOfRetry)
	maps.DeleteFunc(template.Labels, isOfRetry)
	unsetRetryOf(&template.Spec.Template.Spec)
	for _, label := range controllerLabels {
		delete(template.Labels, label)
		delete(template.Spec.Template.Labels, label)
	}
	data, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("encode the template of Job %s: %w", job.Name, err)
	}
	if len(data) > maxTemplate {
		return nil, nil
	}
	return &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: fmt.Sprintf("joberror-%.10x", sha256.Sum256(data)),
			Labels: map[string]string{joberrorv1.LabelTemplate: "true"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Namespace", Name: job.Namespace, UID: namespaceUID,
			}},
		},
		Data: runtime.RawExtension{Raw: data},
	}, nil
}

// TemplateIn returns the template that a ControllerRevision keeps.
func TemplateIn(revision *appsv1.ControllerRevision) (*batchv1.JobTemplateSpec, error) {
	var template batchv1.JobTemplateSpec
	if err := json.Unmarshal(revision.Data.Raw, &template); err != nil {
		return nil, fmt.Errorf("decode the template in ControllerRevision %s: %w", revision.Name, err)
	}
	return &template, nil
}
