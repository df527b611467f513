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

func newOptions(t *testing.T, args ...string) Options {
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

func TestCaptures(t *testing.T) {
	t.Parallel()
	off := map[string]string{joberrorv1.AnnotationCapture: "false"}
	for name, tc := range map[string]struct {
		args           []string
		labels         map[string]string
		job, namespace map[string]string
		want           bool
	}{
		"all Jobs by default":                        {want: true},
		"not a Job that opted out":                   {job: off},
		"not a Job in a namespace that opted out":    {namespace: off},
		"another value does not opt out":             {job: map[string]string{joberrorv1.AnnotationCapture: "no"}, want: true},
		"no Job if capture is off":                   {args: []string{"--capture=false"}},
		"a Job that the selector matches":            {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "data"}, want: true},
		"not a Job that the selector does not match": {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "web"}},
		"not a Job with unknown labels":              {args: []string{"--capture-selector=team=data"}},
		"an opt-out overrides the selector":          {args: []string{"--capture-selector=team=data"}, labels: map[string]string{"team": "data"}, job: off},
	} {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Labels: tc.labels, Annotations: tc.job}}
		namespace := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: tc.namespace}}
		if got := newOptions(t, tc.args...).Captures(job, namespace); got != tc.want {
			t.Errorf("%s: Captures = %t, want %t", name, got, tc.want)
		}
	}
}

func TestWatches(t *testing.T) {
	t.Parallel()
	if !newOptions(t).Watches("any") {
		t.Error("Watches by default = false, want true")
	}
	some := newOptions(t, "--capture-namespaces=a,b")
	if !some.Watches("a") || !some.Watches("b") || some.Watches("c") {
		t.Error("with --capture-namespaces, want only these namespaces watched")
	}
}
