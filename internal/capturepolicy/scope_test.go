// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capturepolicy

import (
	"testing"

	"github.com/spf13/pflag"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func options(t *testing.T, args ...string) Options {
	t.Helper()
	o := NewOptions()
	flags := pflag.NewFlagSet(t.Name(), pflag.ContinueOnError)
	o.AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	if errs := o.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	return o
}

func TestWhichJobsAreCaptured(t *testing.T) {
	t.Parallel()
	off := map[string]string{joberrorv1.AnnotationCapture: "false"}
	for name, tc := range map[string]struct {
		args           []string
		labels         map[string]string
		job, namespace map[string]string
		want           bool
	}{
		"all by default":                        {want: true},
		"not one that is opted out":             {job: off},
		"not one of a namespace that is":        {namespace: off},
		"another value opts nothing out":        {job: map[string]string{joberrorv1.AnnotationCapture: "no"}, want: true},
		"none where it is off":                  {args: []string{"--capture=false"}},
		"one that the selector selects":         {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "data"}, want: true},
		"not one that it does not":              {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "web"}},
		"not one of which no labels are known":  {args: []string{"--capture-selector=team=data"}},
		"the selector does not overrule an out": {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "data"}, job: off},
	} {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Labels: tc.labels, Annotations: tc.job}}
		namespace := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: tc.namespace}}
		if got := options(t, tc.args...).Wants(job, namespace); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestWhichNamespacesAreWatched(t *testing.T) {
	t.Parallel()
	if !options(t).Watches("any") {
		t.Error("by default all are")
	}
	some := options(t, "--capture-namespaces=a,b")
	if !some.Watches("a") || !some.Watches("b") || some.Watches("c") {
		t.Error("where some are named, those alone are")
	}
}
