// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"slices"
	"testing"

	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const (
	recordsPath = "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs/{name}/joberrors"
	onePath     = recordsPath + "/{path}"
)

var documented = []string{"limit", "continue", "resolved", "archived", "since", "until"}

func TestTheSpecificationHasTheParametersOfAList(t *testing.T) {
	t.Parallel()
	v2, err := describeListV2(&spec.Swagger{SwaggerProps: spec.SwaggerProps{Paths: &spec.Paths{Paths: map[string]spec.PathItem{
		recordsPath: {PathItemProps: spec.PathItemProps{Get: &spec.Operation{}, Post: &spec.Operation{}}},
		onePath:     {PathItemProps: spec.PathItemProps{Get: &spec.Operation{}}},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range v2.Paths.Paths[recordsPath].Get.Parameters {
		got = append(got, p.Name)
	}
	if !slices.Equal(got, documented) || len(v2.Paths.Paths[recordsPath].Post.Parameters)+len(v2.Paths.Paths[onePath].Get.Parameters) > 0 {
		t.Errorf("version 2 has %v, want %v for GET only", got, documented)
	}

	v3, err := describeListV3(&spec3.OpenAPI{Paths: &spec3.Paths{Paths: map[string]*spec3.Path{
		recordsPath: {PathProps: spec3.PathProps{Get: &spec3.Operation{}}},
		onePath:     {PathProps: spec3.PathProps{Get: &spec3.Operation{}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, p := range v3.Paths.Paths[recordsPath].Get.Parameters {
		got = append(got, p.Name)
	}
	if !slices.Equal(got, documented) || len(v3.Paths.Paths[onePath].Get.Parameters) > 0 {
		t.Errorf("version 3 has %v, want %v", got, documented)
	}
	for _, empty := range []func() error{
		func() error { _, err := describeListV2(&spec.Swagger{}); return err },
		func() error { _, err := describeListV3(&spec3.OpenAPI{}); return err },
	} {
		if err := empty(); err != nil {
			t.Error(err)
		}
	}
}
