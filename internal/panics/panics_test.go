// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package panics

import (
	"errors"
	"strings"
	"testing"
)

func TestAPanicBecomesAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	var unset *struct{ name string }
	err := Recover(func() error { return errors.New(unset.name) })
	if err == nil || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "panics_test.go") {
		t.Errorf("Recover = %v, want the cause and the stack", err)
	}
}

func TestAnErrorStaysUnchangedWithoutAPanic(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("x")} {
		if err := Recover(func() error { return want }); !errors.Is(err, want) {
			t.Errorf("Recover = %v, want %v", err, want)
		}
	}
}
