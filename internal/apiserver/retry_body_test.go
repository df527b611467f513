// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

func readRetry(ctx context.Context, content string) (*resolvev1.RetryRequest, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/jobs/import/retry", strings.NewReader(content))
	r.Header.Set("Content-Type", jsonType)
	return readRetryBody(httptest.NewRecorder(), r)
}

func TestReadRetryBody(t *testing.T) {
	t.Parallel()
	request, err := readRetry(t.Context(), `{"errors":["e1"],"template":"Original","indexes":"All","reason":"fixed","set":[{"container":"main","env":[{"name":"MODE","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}]}`)
	if err != nil || request.Template != joberrorv1.RetryOriginal || request.Indexes != joberrorv1.RetryAll || request.Set[0].Env[0].ValueFrom.SecretKeyRef.Key != "k" {
		t.Errorf("request = %+v, %v", request, err)
	}
	for _, empty := range []string{"", " ", "{}"} {
		if request, err := readRetry(t.Context(), empty); err != nil || request.Errors != nil || request.Set != nil {
			t.Errorf("%q: request = %+v, %v, want an empty one", empty, request, err)
		}
	}
}

func TestProblemsOfARetryBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"why":"x"}`: `why: Forbidden: is not known; the known fields are errors, indexes, reason, set, template`,
		`{"set":[{"container":"main","image":"x"}]}`: `set[0].image: Forbidden: is not known`,
		`{"reason":"a","reason":"b"}`:                `reason: Forbidden: duplicate field "reason"`,
	} {
		if _, err := readRetry(t.Context(), body); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// FuzzReadRetryBody looks for bodies that crash the server, or whose refusal is not the
// client's fault.
func FuzzReadRetryBody(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `{"errors":[]}`, `{"errors":["e1","e1"]}`, `{"template":"Current"}`, `{"template":1}`, `{"set":null}`,
		`{"set":[{"container":"main","resources":{"limits":{"memory":"2Gi"}}}]}`, `{"set":[{"resources":{"limits":{"memory":"lots"}}}]}`,
		`{"set":[{"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}]}`, `{"set":[{"container":"a"}]}{}`, `{"Reason":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		request, err := readRetry(t.Context(), string(data))
		if err == nil {
			if request.Errors != nil && len(request.Errors) == 0 {
				t.Fatal("an empty list of names is accepted")
			}
			return
		}
		var status apierrors.APIStatus
		if !errors.As(err, &status) || status.Status().Code < 400 || status.Status().Code > 499 {
			t.Fatalf("error = %v (%T), want an API status with 4xx", err, err)
		}
	})
}
