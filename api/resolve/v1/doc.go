// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package v1 holds the types of the aggregated group resolve.joberror.io: the bodies of
// its requests and responses, except for the JobErrorResolution of the group joberror.io.
// None of these types is stored.
//
// +kubebuilder:object:generate=true
// +k8s:openapi-gen=true
// +k8s:openapi-model-package=io.joberror.resolve.v1
// +groupName=resolve.joberror.io
package v1
