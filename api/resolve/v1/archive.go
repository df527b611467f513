// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Headers of an answer with archived records.
const (
	// HeaderContinue holds the value of ?continue for the next answer. Lists of live records have
	// it, too.
	HeaderContinue = "Joberror-Continue"
	// HeaderArchiveThrough holds the day, in UTC, that the search has reached. Later pages go
	// further back.
	HeaderArchiveThrough = "Joberror-Archive-Through"
	// HeaderArchiveSkipped counts the objects of the archive that could not be read. Each answer
	// with archived records has it.
	HeaderArchiveSkipped = "Joberror-Archive-Skipped"
)

// CauseNoArchive marks the 404 of an operator that has no archive.
const CauseNoArchive metav1.CauseType = "NoArchive"
