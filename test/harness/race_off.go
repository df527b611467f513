//go:build !race

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

// raceFlag builds the operator as the tests themselves were built.
var raceFlag []string
