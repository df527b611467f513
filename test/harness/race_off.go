//go:build !race

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

// raceFlag builds the operator with the race detector if the tests were built with it.
var raceFlag []string
