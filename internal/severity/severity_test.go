// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package severity

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func labeled(value string) metav1.ObjectMeta {
	if value == "" {
		return metav1.ObjectMeta{}
	}
	return metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelSeverity: value}}
}

func TestOfReadsTheAllowedValues(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]Level{"": Unset, "info": Info, "warning": Warning, "critical": Critical, "Critical": Unset, "page": Unset} {
		object := labeled(value)
		got, err := Of(&object)
		if got != want {
			t.Errorf("%q: level = %d, want %d", value, got, want)
		}
		if invalid := want == Unset && value != ""; invalid != (err != nil) {
			t.Errorf("%q: error = %v", value, err)
		} else if invalid && !strings.Contains(err.Error(), joberrorv1.LabelSeverity) {
			t.Errorf("%q: error = %v, want one that names the label", value, err)
		}
	}
}

func TestCopySetsTheLabelOnlyIfItIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ own, job, want string }{
		{"", "critical", "critical"},
		{"info", "critical", "info"},
		{"", "page", ""},
		{"", "", ""},
	} {
		je, job := &joberrorv1.JobError{ObjectMeta: labeled(c.own)}, labeled(c.job)
		Copy(je, &job)
		if got := je.Labels[joberrorv1.LabelSeverity]; got != c.want {
			t.Errorf("error with %q of a Job with %q: label = %q, want %q", c.own, c.job, got, c.want)
		}
	}
}
