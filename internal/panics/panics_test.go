// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package panics

import (
	"errors"
	"strings"
	"testing"
)

func TestAPanicBecomesAnErrorThatTellsWhere(t *testing.T) {
	t.Parallel()
	var nobody *struct{ name string }
	err := Recover(func() error { return errors.New(nobody.name) })
	if err == nil || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(err.Error(), "contain_test.go") {
		t.Errorf("%v does not tell what happened and where", err)
	}
}

func TestWithoutAPanicTheErrorIsAsItIs(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("x")} {
		if err := Recover(func() error { return want }); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}
