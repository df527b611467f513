// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestSizeCountsWhatUsersCanMakeLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	for name, je := range map[string]*joberrorv1.JobError{
		"message":    {Spec: joberrorv1.JobErrorSpec{Message: long}},
		"label":      {ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"key": long}}},
		"annotation": {ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"key": long}}},
		"finalizer":  {ObjectMeta: metav1.ObjectMeta{Finalizers: []string{long}}},
		"owner":      {ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Name: long}}}},
	} {
		if got := Size(je); got < 2<<20 {
			t.Errorf("%s: Size = %d, want twice its length", name, got)
		}
	}
}
