// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

// emptyCache is a cache without objects.
type emptyCache struct{ client.Reader }

func (emptyCache) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func (emptyCache) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// FuzzReview looks for a request that makes a webhook panic, or whose response is not an
// AdmissionReview. Any client that reaches the port may send it.
func FuzzReview(f *testing.F) {
	scheme := runtime.NewScheme()
	utilruntime.Must(joberrorv1.AddToScheme(scheme))
	clock := testingclock.NewFakePassiveClock(time.Date(2026, 11, 5, 10, 15, 0, 0, time.UTC))
	policy := retention.Policy{Default: 30 * 24 * time.Hour}
	hooks := []*admission.Webhook{
		admission.WithDefaulter(scheme, &jobErrorDefaulter{linker: linker{cache: emptyCache{}}, clock: clock}),
		admission.WithValidator(scheme, &jobErrorValidator{cache: emptyCache{}, clock: clock, policy: policy}),
		admission.WithDefaulter(scheme, resolutionDefaulter{}),
		admission.WithDefaulter(scheme, retryDefaulter{}),
		admission.WithDefaulter(scheme, retryRestorer{}),
		admission.WithDefaulter(scheme, &jobErrorRestorer{linker: linker{cache: emptyCache{}}}),
		admission.WithDefaulter(scheme, resolutionRestorer{}),
	}
	for _, hook := range hooks {
		// The fuzz test must see a panic, not the response to it.
		hook.WithRecoverPanic(false)
	}
	review := func(operation, object, old string) []byte {
		return fmt.Appendf(nil, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","namespace":"ns","operation":%q,"userInfo":{"username":"alice"},"object":%s,"oldObject":%s}}`, operation, object, old)
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"request":null}`))
	f.Add(review("CREATE", `{"apiVersion":"joberror.io/v1","kind":"JobError","metadata":{"name":"a","ownerReferences":[{"kind":"Namespace"}]},"spec":{"_jobId":"job","resolved":true}}`, `null`))
	f.Add(review("UPDATE", `{"spec":{"_jobId":"job","resolved":true},"metadata":{"annotations":{"joberror.io/resolved-by":"bob"}}}`, `{"spec":{},"metadata":{"generation":9223372036854775807}}`))
	f.Add(review("CREATE", `{"spec":{"_jobId":"job","createdAt":"9999-12-31T23:59:59.999999999-23:59"}}`, `null`))
	f.Add(review("UPDATE", `{"metadata":{"ownerReferences":[null]}}`, `{"metadata":{"annotations":null}}`))
	f.Add(review("CREATE", `{"spec":{"_jobId":"job"},"metadata":{"annotations":{"joberror.io/resolution":"r/1"}},"status":{"expiresAt":"2026-12-05T10:15:00Z","job":{"name":"job","uid":"1"}}}`, `null`))
	f.Add(review("CREATE", `{"spec":{"_jobId":"job"},"status":{"startedAt":"2026-11-05T10:15:00Z","errors":["a"]}}`, `null`))
	f.Add(review("DELETE", `null`, `{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, hook := range hooks {
			recorder := httptest.NewRecorder()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			hook.ServeHTTP(recorder, request)
			var response admissionv1.AdmissionReview
			if err := json.Unmarshal(recorder.Body.Bytes(), &response); err != nil || response.Response == nil {
				t.Fatalf("response to %q is not an AdmissionReview: %d %s", body, recorder.Code, recorder.Body)
			}
		}
	})
}
