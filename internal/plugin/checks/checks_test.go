// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
)

var (
	now       = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	notFound  = apierrors.NewNotFound(schema.GroupResource{Resource: "things"}, "x")
	forbidden = apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, "x", errors.New("no"))
	down      = apierrors.NewServiceUnavailable("the backend is down")
)

// authority is a CA with the certificate of a server.
type authority struct{ ca, leaf []byte }

// newAuthority returns a CA and a certificate that are valid until these times.
func newAuthority(t *testing.T, caEnd, leafEnd time.Time) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: caEnd,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: now.AddDate(-1, 0, 0), NotAfter: leafEnd, DNSNames: []string{"joberror-operator.joberror-system.svc"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	var encoded [][]byte
	for _, c := range []*x509.Certificate{ca, leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		encoded = append(encoded, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return authority{encoded[0], encoded[1]}
}

// healthy returns the facts of a healthy installation.
func healthy(t *testing.T) *Facts {
	t.Helper()
	a := newAuthority(t, now.AddDate(9, 0, 0), now.AddDate(0, 6, 0))
	f := &Facts{Namespace: "batch", OperatorNamespace: "joberror-system", PluginVersion: "v1.2.0", Hint: func(words ...string) string { return strings.Join(words, " ") }}
	f.Kubernetes.Value = "v1.36.3"
	f.Served.Value = []string{"joberrors", "joberrors/status", "joberrorresolutions", "joberrorretries"}
	f.CRDs = map[string]Read[*apiextensionsv1.CustomResourceDefinition]{}
	for _, name := range crdNames {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		crd.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue}}
		f.CRDs[name] = Read[*apiextensionsv1.CustomResourceDefinition]{Value: crd}
	}
	f.Deployments.Value = []appsv1.Deployment{{
		ObjectMeta: metav1.ObjectMeta{Name: "joberror-operator", Namespace: "joberror-system", Generation: 3},
		Spec:       appsv1.DeploymentSpec{Replicas: ptr.To[int32](2)},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 3, ReadyReplicas: 2, UpdatedReplicas: 2},
	}}
	f.Lease.Value = &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
		HolderIdentity: ptr.To("pod-a"), LeaseDurationSeconds: ptr.To[int32](15), RenewTime: &metav1.MicroTime{Time: now.Add(-2 * time.Second)},
	}}
	f.APIService.Value = &apiregistrationv1.APIService{
		Spec:   apiregistrationv1.APIServiceSpec{CABundle: a.ca},
		Status: apiregistrationv1.APIServiceStatus{Conditions: []apiregistrationv1.APIServiceCondition{{Type: apiregistrationv1.Available, Status: apiregistrationv1.ConditionTrue}}},
	}
	f.Aggregated.Value = []string{"jobs", "jobs/joberrors", "jobs/retry"}
	f.AggregatedVersion.Value = "v1.2.0"
	clientConfig := admissionregistrationv1.WebhookClientConfig{CABundle: a.ca}
	f.Mutating.Value = &admissionregistrationv1.MutatingWebhookConfiguration{Webhooks: []admissionregistrationv1.MutatingWebhook{{ClientConfig: clientConfig}}}
	f.Validating.Value = &admissionregistrationv1.ValidatingWebhookConfiguration{Webhooks: []admissionregistrationv1.ValidatingWebhook{{ClientConfig: clientConfig}}}
	f.Service.Value = &corev1.Service{}
	f.Endpoints.Value = []discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}, {Addresses: []string{"10.0.0.2"}}}}}
	f.Secret.Value = &corev1.Secret{Data: map[string][]byte{corev1.TLSCertKey: a.leaf}}
	f.Trial.Value = &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: "2026-11-26T12:00:00Z"}}
	f.Admission.Value = []string{validatingPolicies, mutatingPolicies}
	f.Policies = map[string]Read[[]string]{
		validatingPolicies: {Value: policyNames[validatingPolicies]}, validatingBindings: {Value: policyNames[validatingPolicies]},
		mutatingPolicies: {Value: policyNames[mutatingPolicies]}, mutatingBindings: {Value: policyNames[mutatingPolicies]},
	}
	f.Rights = []Right{{Action: "list"}, {Action: "resolve"}, {Action: "report"}, {Action: "retry"}}
	return f
}

func TestAHealthyInstallationHasNoFindings(t *testing.T) {
	report := Decide(healthy(t), now)
	if len(report.Results) != len(rules) || report.Count(OK) != len(rules) {
		t.Errorf("%+v", report.Results)
	}
}

// TestRules changes one fact of a healthy installation at a time.
func TestRules(t *testing.T) {
	expired := func(t *testing.T) []byte { return newAuthority(t, now.AddDate(0, 0, -1), now.AddDate(0, 0, -1)).ca }
	for _, test := range []struct {
		name, rule string
		change     func(*testing.T, *Facts)
		want       Status
		message    string
	}{
		{"old Kubernetes", "kubernetes", func(_ *testing.T, f *Facts) { f.Kubernetes.Value = "v1.32.9" }, Failed, "too old"},
		{"a vendor's oldest Kubernetes", "kubernetes", func(_ *testing.T, f *Facts) { f.Kubernetes.Value = "v1.33.0-gke.1" }, OK, ""},
		{"new Kubernetes", "kubernetes", func(_ *testing.T, f *Facts) { f.Kubernetes.Value = "v1.38.0" }, Warning, "newer"},
		{"unreadable version", "kubernetes", func(_ *testing.T, f *Facts) { f.Kubernetes.Value = "main" }, Unknown, "main"},

		{"no CRD", "crds", func(_ *testing.T, f *Facts) { f.CRDs[crdNames[1]] = missing() }, Failed, crdNames[1] + " does not exist"},
		{"CRD without condition", "crds", func(_ *testing.T, f *Facts) { f.CRDs[crdNames[2]].Value.Status.Conditions = nil }, Failed, "not established"},
		{"deleted CRD", "crds", func(_ *testing.T, f *Facts) { f.CRDs[crdNames[0]].Value.DeletionTimestamp = &metav1.Time{Time: now} }, Failed, "being deleted"},
		{"unreadable CRDs that are served", "crds", func(_ *testing.T, f *Facts) { f.CRDs = hidden() }, OK, ""},
		{"unreadable CRDs, one not served", "crds", func(_ *testing.T, f *Facts) { f.CRDs, f.Served.Value = hidden(), []string{"joberrors"} }, Failed, "does not serve joberrorresolutions"},
		{"unreadable CRDs, none served", "crds", func(_ *testing.T, f *Facts) { f.CRDs, f.Served.Err = hidden(), notFound }, Failed, "install"},

		{"no Deployment", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value, f.Aggregated.Err = nil, down }, Failed, "no Deployment"},
		{"operator elsewhere", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value = nil }, Warning, "--operator-namespace"},
		{"unreadable Deployments", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Err = forbidden }, Unknown, "may not read"},
		{"no replica is ready", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value[0].Status.ReadyReplicas = 0 }, Failed, "0 of 2"},
		{"one replica is ready", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value[0].Status.ReadyReplicas = 1 }, Warning, "1 of 2"},
		{"scaled to 0", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value[0].Spec.Replicas = ptr.To[int32](0) }, Failed, "--replicas=2"},
		{"rollout", "operator", func(_ *testing.T, f *Facts) { f.Deployments.Value[0].Status.UpdatedReplicas = 1 }, Warning, "rollout"},
		{"two operators", "operator", func(_ *testing.T, f *Facts) {
			f.Deployments.Value = append(f.Deployments.Value, appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "second"}})
		}, Warning, "second"},

		{"no Lease", "leader", func(_ *testing.T, f *Facts) { f.Lease.Err = notFound }, Failed, "does not exist"},
		{"no Lease outside the cluster", "leader", func(_ *testing.T, f *Facts) { f.Lease.Err, f.Deployments.Value = notFound, nil }, Unknown, "--leader-elect"},
		{"released Lease", "leader", func(_ *testing.T, f *Facts) { f.Lease.Value.Spec.HolderIdentity = ptr.To("") }, Failed, "nobody holds"},
		{"Lease between two leaders", "leader", func(_ *testing.T, f *Facts) { f.Lease.Value.Spec.RenewTime.Time = now.Add(-29 * time.Second) }, OK, ""},
		{"old Lease", "leader", func(_ *testing.T, f *Facts) { f.Lease.Value.Spec.RenewTime.Time = now.Add(-31 * time.Second) }, Failed, "31s ago"},

		{"no APIService", "apiservice", func(_ *testing.T, f *Facts) { f.APIService.Err = notFound }, Failed, "does not exist"},
		{"unavailable APIService", "apiservice", func(_ *testing.T, f *Facts) {
			c := &f.APIService.Value.Status.Conditions[0]
			c.Status, c.Reason, c.Message = apiregistrationv1.ConditionFalse, "MissingEndpoints", "no\nendpoints"
		}, Failed, "MissingEndpoints: no endpoints"},
		{"APIService without condition", "apiservice", func(_ *testing.T, f *Facts) { f.APIService.Value.Status.Conditions = nil }, Failed, "no condition"},
		{"unreadable APIService", "apiservice", func(_ *testing.T, f *Facts) { f.APIService.Err = forbidden }, Unknown, "may not read"},

		{"aggregated API is down", "aggregated-api", func(_ *testing.T, f *Facts) { f.Aggregated.Err = down }, Failed, "the backend is down"},
		{"aggregated API is unknown", "aggregated-api", func(_ *testing.T, f *Facts) { f.Aggregated.Err = notFound }, Failed, "APIService is missing"},
		{"aggregated API is forbidden", "aggregated-api", func(_ *testing.T, f *Facts) { f.Aggregated.Err = forbidden }, Unknown, "may not read"},
		{"old aggregated API", "aggregated-api", func(_ *testing.T, f *Facts) { f.Aggregated.Value = f.Aggregated.Value[:2] }, Warning, "jobs/retry"},

		{"no mutating webhooks", "webhook-config", func(_ *testing.T, f *Facts) { f.Mutating.Err = notFound }, Failed, "MutatingWebhook"},
		{"no validating webhooks", "webhook-config", func(_ *testing.T, f *Facts) { f.Validating.Err = notFound }, Failed, "ValidatingWebhook"},
		{"no Service", "webhook-config", func(_ *testing.T, f *Facts) { f.Service.Err = notFound }, Failed, "Service"},
		{"no endpoints", "webhook-config", func(_ *testing.T, f *Facts) { f.Endpoints.Value[0].Endpoints = nil }, Failed, "no ready endpoint"},
		{"no ready endpoints", "webhook-config", func(_ *testing.T, f *Facts) {
			for i := range f.Endpoints.Value[0].Endpoints {
				f.Endpoints.Value[0].Endpoints[i].Conditions.Ready = ptr.To(false)
			}
		}, Failed, "no ready endpoint"},
		{"external Service", "webhook-config", func(_ *testing.T, f *Facts) {
			f.Service.Value.Spec, f.Endpoints.Value = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "elsewhere"}, nil
		}, OK, "elsewhere"},

		{"the webhook is skipped", "webhook", func(_ *testing.T, f *Facts) { f.Trial.Value.Spec.CreatedAt = "" }, Failed, "without createdAt"},
		{"no right to create", "webhook", func(_ *testing.T, f *Facts) { f.Trial.Err = forbidden }, Unknown, "may not create"},
		{"no such namespace", "webhook", func(_ *testing.T, f *Facts) { f.Trial.Err = notFound }, Unknown, "-n"},
		{"create fails", "webhook", func(_ *testing.T, f *Facts) { f.Trial.Err = down }, Failed, "backend"},
		{"not tried", "webhook", func(_ *testing.T, f *Facts) { f.Trial.Err = errNotTried }, Unknown, "not tried"},

		{"empty caBundle", "ca-bundle", func(_ *testing.T, f *Facts) { f.Mutating.Value.Webhooks[0].ClientConfig.CABundle = nil }, Failed, "is empty"},
		{"broken caBundle", "ca-bundle", func(_ *testing.T, f *Facts) { f.APIService.Value.Spec.CABundle = []byte("x") }, Failed, "no certificate"},
		{"expired caBundle", "ca-bundle", func(t *testing.T, f *Facts) { f.APIService.Value.Spec.CABundle = expired(t) }, Failed, "expired on 2026-11-25"},
		{"caBundle with a former CA", "ca-bundle", func(t *testing.T, f *Facts) {
			f.APIService.Value.Spec.CABundle = append(expired(t), f.APIService.Value.Spec.CABundle...)
		}, OK, "2035-11-26"},
		{"caBundle about to expire", "ca-bundle", func(t *testing.T, f *Facts) {
			f.APIService.Value.Spec.CABundle = newAuthority(t, now.AddDate(0, 0, 3), now).ca
		}, Warning, "2026-11-29"},
		{"one unreadable caBundle", "ca-bundle", func(_ *testing.T, f *Facts) { f.APIService.Err = forbidden }, Unknown, "APIService"},
		{"one unreadable caBundle, one expired", "ca-bundle", func(t *testing.T, f *Facts) {
			f.APIService.Err, f.Validating.Value.Webhooks[0].ClientConfig.CABundle = forbidden, expired(t)
		}, Failed, "expired"},

		{"unreadable Secret", "certificate", func(_ *testing.T, f *Facts) { f.Secret.Err = forbidden }, Unknown, "every caBundle is valid until 2035-11-26"},
		{"no Secret", "certificate", func(_ *testing.T, f *Facts) { f.Secret.Err = notFound }, Failed, "does not exist"},
		{"empty Secret", "certificate", func(_ *testing.T, f *Facts) { f.Secret.Value.Data = nil }, Failed, "no certificate"},
		{"certificate of another CA", "certificate", func(t *testing.T, f *Facts) {
			f.Secret.Value.Data[corev1.TLSCertKey] = newAuthority(t, now.AddDate(1, 0, 0), now.AddDate(1, 0, 0)).leaf
		}, Failed, "does not trust"},
		{"certificate of another namespace", "certificate", func(_ *testing.T, f *Facts) { f.OperatorNamespace = "elsewhere" }, Failed, "does not trust"},
		{"expired certificate", "certificate", func(t *testing.T, f *Facts) { f.certify(newAuthority(t, now.AddDate(1, 0, 0), now.AddDate(0, 0, -2))) }, Failed, "expired on 2026-11-24"},
		{"certificate about to expire", "certificate", func(t *testing.T, f *Facts) { f.certify(newAuthority(t, now.AddDate(1, 0, 0), now.AddDate(0, 0, 2))) }, Warning, "2026-11-28"},

		{"no policy", "policies", func(_ *testing.T, f *Facts) {
			f.Policies[validatingPolicies] = Read[[]string]{Value: policyNames[validatingPolicies][1:]}
		}, Failed, "validatingadmissionpolicies/joberror-created-at"},
		{"no binding", "policies", func(_ *testing.T, f *Facts) {
			f.Policies[mutatingBindings] = Read[[]string]{Value: policyNames[mutatingPolicies][1:]}
		}, Failed, "mutatingadmissionpolicybindings/joberror-defaults"},
		{"unreadable policies", "policies", func(_ *testing.T, f *Facts) { f.Policies[validatingBindings] = Read[[]string]{Err: forbidden} }, Unknown, "may not read"},
		{"Kubernetes without mutating policies", "policies", func(_ *testing.T, f *Facts) {
			f.Admission.Value = []string{validatingPolicies}
			f.Policies[mutatingPolicies], f.Policies[mutatingBindings] = Read[[]string]{Err: notFound}, Read[[]string]{Err: notFound}
		}, OK, "the webhook does"},
		{"the wrong manifests for this Kubernetes", "policies", func(_ *testing.T, f *Facts) {
			f.Policies[mutatingPolicies], f.Policies[mutatingBindings] = Read[[]string]{}, Read[[]string]{}
		}, Warning, "dist/install.yaml"},

		{"one minor version apart", "version", func(_ *testing.T, f *Facts) { f.AggregatedVersion.Value = "v1.1.7" }, OK, "operator v1.1.7, plugin v1.2.0"},
		{"two minor versions apart", "version", func(_ *testing.T, f *Facts) { f.AggregatedVersion.Value = "v1.4.0" }, Warning, "upgrade"},
		{"another major version", "version", func(_ *testing.T, f *Facts) { f.AggregatedVersion.Value = "v2.2.0" }, Warning, "upgrade"},
		{"unstated version", "version", func(_ *testing.T, f *Facts) { f.AggregatedVersion.Value = "unknown" }, Unknown, "operator unknown"},
		{"plugin without version", "version", func(_ *testing.T, f *Facts) { f.PluginVersion = "" }, Unknown, "plugin unknown"},
		{"commit", "version", func(_ *testing.T, f *Facts) { f.PluginVersion = "9a42fa8" }, Unknown, "released"},
		{"same commit", "version", func(_ *testing.T, f *Facts) { f.PluginVersion, f.AggregatedVersion.Value = "9a42fa8", "9a42fa8" }, OK, ""},
		{"operator is down", "version", func(_ *testing.T, f *Facts) { f.AggregatedVersion.Err = down }, Unknown, "OpenAPI"},

		{"missing right", "rights", func(_ *testing.T, f *Facts) {
			f.Rights[3] = Right{Action: "retry", Role: "joberror-retrier", Missing: []string{"create jobs.batch"}}
		}, Warning, "you may not retry in namespace batch"},
		{"unknown rights", "rights", func(_ *testing.T, f *Facts) { f.Rights[0].Error = "no answer" }, Unknown, "no answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy(t)
			test.change(t, f)
			for _, result := range Decide(f, now).Results {
				if result.Check == test.rule && (result.Status != test.want || !strings.Contains(result.Message, test.message)) {
					t.Errorf("%s = %s: %s; want %s with %q", test.rule, result.Status, result.Message, test.want, test.message)
				}
			}
		})
	}
}

func missing() Read[*apiextensionsv1.CustomResourceDefinition] {
	return Read[*apiextensionsv1.CustomResourceDefinition]{Err: notFound}
}

// hidden returns definitions that the user may not read.
func hidden() map[string]Read[*apiextensionsv1.CustomResourceDefinition] {
	all := map[string]Read[*apiextensionsv1.CustomResourceDefinition]{}
	for _, name := range crdNames {
		all[name] = Read[*apiextensionsv1.CustomResourceDefinition]{Err: forbidden}
	}
	return all
}

// certify makes the operator serve, and the API server trust, the certificates of an authority.
func (f *Facts) certify(a authority) {
	f.Secret.Value.Data[corev1.TLSCertKey] = a.leaf
	f.APIService.Value.Spec.CABundle = a.ca
	f.Mutating.Value.Webhooks[0].ClientConfig.CABundle = a.ca
	f.Validating.Value.Webhooks[0].ClientConfig.CABundle = a.ca
}
