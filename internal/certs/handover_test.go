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

// stage is a handover with callers to which nobody has brought a CA, and a
// clock that stands.
type stage struct {
	*handover
	clock *testingclock.FakeClock
}

func newStage(t *testing.T, manage bool) stage {
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
	clock := testingclock.NewFakeClock(time.Now())
	return stage{clock: clock, handover: &handover{
		client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(mutating, validating, service).Build(),
		clock:  clock, certificate: In(t.TempDir()), manage: manage,
	}}
}

// steps takes as many steps as can be taken at this moment and returns when the
// next one is due.
func (s stage) steps(t *testing.T, ca, pair string) time.Duration {
	t.Helper()
	var wait time.Duration
	for range 3 {
		var err error
		if wait, err = s.step(t.Context(), certificate(ca), keyPair{cert: []byte(pair), key: []byte(pair)}); err != nil {
			t.Fatal(err)
		}
	}
	return wait
}

// after lets time go by.
func (s stage) after(d time.Duration) stage {
	s.clock.Step(d)
	return s
}

// want fails unless the callers trust these CAs and the servers have this pair.
func (s stage) want(t *testing.T, pair string, cas ...string) {
	t.Helper()
	places := 0
	err := s.each(t.Context(), func(caller client.Object) error {
		for _, place := range Bundles(caller) {
			places++
			if string(*place) != string(of(cas...)) {
				t.Errorf("%T trusts\n%s, want %s", caller, *place, strings.Join(cas, " and "))
			}
		}
		return nil
	})
	if err != nil || places != 4 {
		t.Errorf("%d places of a bundle: %v", places, err)
	}
	for _, path := range []string{s.certificate.CertFile(), s.certificate.KeyFile()} {
		data, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if string(data) != pair {
			t.Errorf("%s is %q, want %q", path, data, pair)
		}
	}
}

func TestTheFirstCertificateIsServedOnceItsCAIsTrusted(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	if wait, err := s.step(t.Context(), certificate("ca"), keyPair{cert: []byte("1"), key: []byte("1")}); err != nil || wait != 0 {
		t.Fatal(wait, err)
	}
	s.want(t, "", "ca")
	if s.certificate.inUse() {
		t.Error("it is in use before the callers are known to trust it")
	}
	s.steps(t, "ca", "1")
	s.want(t, "1", "ca")
	if !s.certificate.inUse() || s.certificate.Check(nil) != nil {
		t.Error("it is not in use")
	}
}

func TestACertificateOfTheSameCAIsServedAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	s.steps(t, "ca", "1")
	s.after(time.Hour).steps(t, "ca", "2")
	s.want(t, "2", "ca")
}

func TestACAIsHandedOverWithoutAGap(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	s.steps(t, "old", "1")
	s.after(time.Hour)
	if wait := s.steps(t, "new", "2"); wait != spreading {
		t.Errorf("the next step is due in %s, want %s", wait, spreading)
	}
	s.want(t, "1", "new", "old")
	s.after(spreading-time.Second).steps(t, "new", "2")
	s.want(t, "1", "new", "old")
	if wait := s.after(time.Second).steps(t, "new", "2"); wait != overlap {
		t.Errorf("the next step is due in %s, want %s", wait, overlap)
	}
	s.want(t, "2", "new", "old")
	s.after(overlap-time.Second).steps(t, "new", "2")
	s.want(t, "2", "new", "old")
	if wait := s.after(time.Second).steps(t, "new", "2"); wait != 0 {
		t.Errorf("the next step is due in %s, want none", wait)
	}
	s.want(t, "2", "new")
}

func TestAReplicaThatStartsDuringAHandoverTakesPartInIt(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	s.steps(t, "old", "1")
	s.steps(t, "new", "2")
	late := stage{clock: s.clock, handover: &handover{client: s.client, clock: s.clock, certificate: In(t.TempDir()), manage: true}}
	if wait := late.steps(t, "new", "2"); wait != overlap {
		t.Errorf("the next step is due in %s, want %s", wait, overlap)
	}
	late.want(t, "2", "new", "old")
}

func TestWhatAnotherToolKeepsIsOnlyServed(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	if wait := s.steps(t, "ca", "1"); wait == 0 {
		t.Error("it must look again until the CA is trusted")
	}
	s.want(t, "")
	if err := s.inject(t.Context(), func(bundle) bundle { return of("ca", "other") }); err != nil {
		t.Fatal(err)
	}
	s.after(time.Hour).steps(t, "ca", "1")
	s.want(t, "1", "ca", "other")
}

func TestACallerThatWasTakenAwayIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	err := s.client.Delete(t.Context(), &apiregistrationv1.APIService{ObjectMeta: metav1.ObjectMeta{Name: APIService}})
	if err != nil {
		t.Fatal(err)
	}
	s.steps(t, "ca", "1")
	if !s.certificate.inUse() {
		t.Error("it is not in use")
	}
}
