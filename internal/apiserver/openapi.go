// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"

	"github.com/prometheus/common/version"
	"k8s.io/apimachinery/pkg/api/resource"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"joberror.io/operator/internal/apiserver/openapi"
)

// addOpenAPI publishes the schemas of the API's types and of metav1, and the version of this
// operator: the plugin compares it with its own. The library would publish its own version.
func addOpenAPI(config *server.RecommendedConfig) {
	stated := cmp.Or(version.Version, "unknown")
	namer := openapinamer.NewDefinitionNamer(scheme)
	config.OpenAPIConfig = server.DefaultOpenAPIConfig(definitions, namer)
	config.OpenAPIConfig.Info.Title, config.OpenAPIConfig.Info.Version = "JobError resolve API", stated
	config.OpenAPIConfig.PostProcessSpec = describeListV2
	config.OpenAPIV3Config = server.DefaultOpenAPIV3Config(definitions, namer)
	config.OpenAPIV3Config.Info.Title, config.OpenAPIV3Config.Info.Version = "JobError resolve API", stated
	config.OpenAPIV3Config.PostProcessSpec = describeListV3
}

// definitions returns the generated schemas, and those of the two types of Kubernetes that a
// JobErrorRetry contains. The schema of the CRD has all fields of an EnvVar.
func definitions(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := openapi.GetOpenAPIDefinitions(ref)
	all["k8s.io/apimachinery/pkg/api/resource.Quantity"] = common.OpenAPIDefinition{Schema: spec.Schema{SchemaProps: spec.SchemaProps{
		Description: "Quantity is a number with a unit, such as 500m or 2Gi.", Type: resource.Quantity{}.OpenAPISchemaType(),
	}}}
	all["k8s.io/api/core/v1.EnvVar"] = common.OpenAPIDefinition{Schema: spec.Schema{SchemaProps: spec.SchemaProps{
		Description: "EnvVar is an environment variable of a container.", Type: []string{"object"}, Required: []string{"name"},
		Properties: map[string]spec.Schema{
			"name":      *spec.StringProperty(),
			"value":     *spec.StringProperty(),
			"valueFrom": {SchemaProps: spec.SchemaProps{Type: []string{"object"}}},
		},
	}}}
	return all
}
