// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package panics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// The stack is for the log: the error may reach the caller of an endpoint.
func TestAPanicIsLoggedAndBecomesAnError(t *testing.T) {
	var logged []any
	handlers := utilruntime.PanicHandlers
	t.Cleanup(func() { utilruntime.PanicHandlers = handlers })
	utilruntime.PanicHandlers = []func(context.Context, any){func(_ context.Context, cause any) { logged = append(logged, cause) }}
	var unset *struct{ name string }
	err := Recover(t.Context(), func() error { return errors.New(unset.name) })
	if !errors.Is(err, ErrPanic) || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("Recover = %v, want ErrPanic without a stack", err)
	}
	if len(logged) != 1 || !strings.Contains(fmt.Sprint(logged[0]), "nil pointer") {
		t.Errorf("logged = %v, want the cause", logged)
	}
}

func TestAnErrorStaysUnchangedWithoutAPanic(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("x")} {
		if err := Recover(t.Context(), func() error { return want }); !errors.Is(err, want) {
			t.Errorf("Recover = %v, want %v", err, want)
		}
	}
}
