// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package v1 holds the custom resources of the group joberror.io: JobError, an error of a
// Job, and JobErrorResolution, a request to resolve or reopen errors.
//
// +kubebuilder:object:generate=true
// +k8s:openapi-gen=true
// +k8s:openapi-model-package=io.joberror.v1
// +groupName=joberror.io
package v1
