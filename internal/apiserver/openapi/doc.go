// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package openapi holds the generated schemas of our types.
package openapi
