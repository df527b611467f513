// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"strings"

	"k8s.io/kube-openapi/pkg/openapiconv"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// listParameters describes the query parameters of GET jobs/{id}/joberrors. The library does not
// know them, because the path is a connect request.
var listParameters = []spec.Parameter{
	queryParameter("limit", "integer", "The most records of one answer: up to 1000 live ones, or up to 500 archived ones."),
	queryParameter("continue", "string", "The value of the header Joberror-Continue of the answer before."),
	queryParameter("resolved", "boolean", "Only records that are resolved, or only open ones. Not for archived records."),
	queryParameter(archivedParam, "boolean", "Whether to read archived records instead of live ones. Each element of the answer is an ArchivedRecord then."),
	queryParameter("since", "string", "Archived records of errors that happened since then: a time in RFC 3339, or how long ago, such as 90d."),
	queryParameter("until", "string", "Archived records of errors that happened before then, given in the same way."),
}

func queryParameter(name, kind, description string) spec.Parameter {
	return spec.Parameter{
		ParamProps:   spec.ParamProps{Name: name, In: "query", Description: description},
		SimpleSchema: spec.SimpleSchema{Type: kind},
	}
}

// describeListV2 adds the parameters to a specification of version 2.
func describeListV2(s *spec.Swagger) (*spec.Swagger, error) {
	if s.Paths != nil {
		describeList(s.Paths.Paths, func(item spec.PathItem, p spec.Parameter) {
			if item.Get != nil {
				item.Get.Parameters = append(item.Get.Parameters, p)
			}
		})
	}
	return s, nil
}

// describeListV3 adds the parameters to a specification of version 3.
func describeListV3(s *spec3.OpenAPI) (*spec3.OpenAPI, error) {
	if s.Paths != nil {
		describeList(s.Paths.Paths, func(item *spec3.Path, p spec.Parameter) {
			if item.Get != nil {
				item.Get.Parameters = append(item.Get.Parameters, openapiconv.ConvertParameter(p))
			}
		})
	}
	return s, nil
}

// describeList calls add with each parameter for the path of the records of a job.
func describeList[Item any](paths map[string]Item, add func(Item, spec.Parameter)) {
	for path, item := range paths {
		if !strings.HasSuffix(path, "/jobs/{name}/joberrors") {
			continue
		}
		for _, p := range listParameters {
			add(item, p)
		}
	}
}
