// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"os"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// fixture is a handover with callers that trust no CA yet, and a clock that the test
// controls.
type fixture struct {
	*handover
	clock *testingclock.FakeClock
}

func newFixture(t *testing.T, manage bool) fixture {
	t.Helper()
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(apiregistrationv1.AddToScheme(scheme))
	mutating := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: MutatingWebhook}, Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "a"}, {Name: "b"}},
	}
	validating := &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: ValidatingWebhook}, Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "c"}},
	}
	service := &apiregistrationv1.APIService{ObjectMeta: metav1.ObjectMeta{Name: APIService}}
	fakeClock := testingclock.NewFakeClock(time.Now())
	return fixture{clock: fakeClock, handover: &handover{
		client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(mutating, validating, service).Build(),
		clock:  fakeClock, certificate: NewCertificate(t.TempDir()), manage: manage,
	}}
}

// steps takes all steps that are possible now and returns the delay before the next.
func (f fixture) steps(t *testing.T, ca, pair string) time.Duration {
	t.Helper()
	var wait time.Duration
	for range 3 {
		var err error
		if wait, err = f.step(t.Context(), fakeCert(ca), keyPair{cert: []byte(pair), key: []byte(pair)}); err != nil {
			t.Fatal(err)
		}
	}
	return wait
}

// after advances the clock.
func (f fixture) after(d time.Duration) fixture {
	f.clock.Step(d)
	return f
}

// expect fails unless the callers trust these CAs and the servers have this key pair.
func (f fixture) expect(t *testing.T, pair string, cas ...string) {
	t.Helper()
	bundles := 0
	err := f.forEachCaller(t.Context(), func(caller client.Object) error {
		for _, caBundle := range CABundles(caller) {
			bundles++
			if string(*caBundle) != string(bundleOf(cas...)) {
				t.Errorf("%T trusts\n%s, want %s", caller, *caBundle, strings.Join(cas, " and "))
			}
		}
		return nil
	})
	if err != nil || bundles != 4 {
		t.Errorf("checked %d bundles, %v, want 4", bundles, err)
	}
	for _, path := range []string{f.certificate.CertFile(), f.certificate.KeyFile()} {
		data, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if string(data) != pair {
			t.Errorf("%s = %q, want %q", path, data, pair)
		}
	}
}

func TestTheFirstCertificateIsServedWhenItsCAIsTrusted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	if wait, err := f.step(t.Context(), fakeCert("ca"), keyPair{cert: []byte("1"), key: []byte("1")}); err != nil || wait != 0 {
		t.Fatal(wait, err)
	}
	f.expect(t, "", "ca")
	if f.certificate.isReady() {
		t.Error("the certificate is ready before the callers trust it")
	}
	f.steps(t, "ca", "1")
	f.expect(t, "1", "ca")
	if !f.certificate.isReady() || f.certificate.Check(nil) != nil {
		t.Error("the certificate is not ready")
	}
}

func TestACertificateOfTheSameCAIsServedImmediately(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	f.steps(t, "ca", "1")
	f.after(time.Hour).steps(t, "ca", "2")
	f.expect(t, "2", "ca")
}

func TestANewCAIsTrustedBeforeItsCertificateIsServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	f.steps(t, "old", "1")
	f.after(time.Hour)
	if wait := f.steps(t, "new", "2"); wait != trustDelay {
		t.Errorf("wait = %s, want %s", wait, trustDelay)
	}
	f.expect(t, "1", "new", "old")
	f.after(trustDelay-time.Second).steps(t, "new", "2")
	f.expect(t, "1", "new", "old")
	if wait := f.after(time.Second).steps(t, "new", "2"); wait != overlap {
		t.Errorf("wait = %s, want %s", wait, overlap)
	}
	f.expect(t, "2", "new", "old")
	f.after(overlap-time.Second).steps(t, "new", "2")
	f.expect(t, "2", "new", "old")
	if wait := f.after(time.Second).steps(t, "new", "2"); wait != 0 {
		t.Errorf("wait = %s, want 0", wait)
	}
	f.expect(t, "2", "new")
}

func TestAReplicaThatStartsDuringAHandoverTakesPart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	f.steps(t, "old", "1")
	f.steps(t, "new", "2")
	second := fixture{clock: f.clock, handover: &handover{client: f.client, clock: f.clock, certificate: NewCertificate(t.TempDir()), manage: true}}
	if wait := second.steps(t, "new", "2"); wait != overlap {
		t.Errorf("wait = %s, want %s", wait, overlap)
	}
	second.expect(t, "2", "new", "old")
}

func TestACertificateOfAnotherToolIsOnlyServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	if wait := f.steps(t, "ca", "1"); wait == 0 {
		t.Error("wait = 0, want another check until the CA is trusted")
	}
	f.expect(t, "")
	if err := f.inject(t.Context(), func(bundle) bundle { return bundleOf("ca", "other") }); err != nil {
		t.Fatal(err)
	}
	f.after(time.Hour).steps(t, "ca", "1")
	f.expect(t, "1", "ca", "other")
}

func TestADeletedCallerIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	err := f.client.Delete(t.Context(), &apiregistrationv1.APIService{ObjectMeta: metav1.ObjectMeta{Name: APIService}})
	if err != nil {
		t.Fatal(err)
	}
	f.steps(t, "ca", "1")
	if !f.certificate.isReady() {
		t.Error("the certificate is not ready")
	}
}
