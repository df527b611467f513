// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"strings"
	"testing"

	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// frontCA is the CA of the API server in front.
type frontCA struct {
	dynamiccertificates.CAContentProvider
	bundle string
}

func (f *frontCA) CurrentCABundleContent() []byte { return []byte(f.bundle) }

func TestServerIsReadyOnceItKnowsItsCallers(t *testing.T) {
	t.Parallel()
	ca := &frontCA{}
	s := &Server{frontCA: ca}
	if err := s.Check(nil); err == nil || !strings.Contains(err.Error(), "has not started") {
		t.Errorf("before the start: %v", err)
	}
	s.started.Store(true)
	if err := s.Check(nil); err == nil || !strings.Contains(err.Error(), "has not read the CA") {
		t.Errorf("without the CA: %v", err)
	}
	ca.bundle = "PEM"
	if err := s.Check(nil); err != nil {
		t.Errorf("with the CA: %v", err)
	}
}
