// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugincheck

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/version"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"joberror.io/operator/internal/plugin"
	"joberror.io/operator/internal/plugin/checks"
	"joberror.io/operator/test/harness"
)

const deployment = "deployment/joberror-operator"

// await repeats the check until the result with this name has the status and its message
// contains the text. It returns all results of that run.
func await(t *testing.T, name string, status checks.Status, text string) map[string]checks.Result {
	t.Helper()
	var results map[string]checks.Result
	harness.Eventually(t, func() string {
		var code int
		results, code = check(t, cluster.Kubeconfig)
		got := results[name]
		if got.Status != status || !strings.Contains(got.Message, text) {
			return fmt.Sprintf("%s is %s (%s), want %s with %q", name, got.Status, got.Message, status, text)
		}
		if status == checks.Failed && code != 1 {
			t.Fatalf("the exit code is %d although %s failed", code, name)
		}
		return ""
	})
	t.Logf("%s: %s: %s", name, status, results[name].Message)
	return results
}

// awaitHealthy waits until no check finds anything.
func awaitHealthy(t *testing.T) {
	t.Helper()
	harness.Eventually(t, func() string {
		results, code := check(t, cluster.Kubeconfig)
		for name, result := range results {
			if result.Status != checks.OK {
				return fmt.Sprintf("%s is %s: %s", name, result.Status, result.Message)
			}
		}
		if code != 0 {
			t.Fatalf("nothing failed, but the exit code is %d", code)
		}
		return ""
	})
}

func TestAHealthyInstallation(t *testing.T) {
	awaitHealthy(t)
	var out bytes.Buffer
	streams := genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &out}
	if code := plugin.Run(t.Context(), []string{"check", "--kubeconfig", cluster.Kubeconfig}, streams); code != 0 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	for _, want := range []string{"operator v0.3.1, plugin v0.4.0", "Your rights in namespace default", "it filled in createdAt"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	t.Log("\n" + out.String())
}

func TestVersionsThatAreTooFarApart(t *testing.T) {
	before := version.Version
	t.Cleanup(func() { version.Version = before })
	version.Version = "v0.9.0"
	await(t, "version", checks.Warning, "operator v0.3.1, plugin v0.9.0: they may be one minor version apart")
}

func TestTheDryRunStoresNothing(t *testing.T) {
	ns := cluster.Namespace(t)
	if results, code := check(t, cluster.Kubeconfig, "-n", ns); code != 0 || results["webhook"].Status != checks.OK {
		t.Errorf("exit code %d, %+v", code, results["webhook"])
	}
	if left := cluster.Errors(t, ns); len(left) > 0 {
		t.Errorf("the check left %d errors", len(left))
	}
}

func TestAUserWithoutRightsGetsNoFalseAnswer(t *testing.T) {
	kubeconfig, _, err := cluster.KubeconfigFor("nobody.kubeconfig", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	results, code := check(t, kubeconfig)
	if code != 0 {
		t.Errorf("exit code %d: nothing is broken", code)
	}
	for name, want := range map[string]checks.Status{
		"crds": checks.OK, "aggregated-api": checks.OK, "version": checks.OK, "kubernetes": checks.OK, // discovery is open to all
		"operator": checks.Unknown, "leader": checks.Unknown, "apiservice": checks.Unknown, "webhook-config": checks.Unknown, "webhook": checks.Unknown,
		"ca-bundle": checks.Unknown, "certificate": checks.Unknown, "policies": checks.Unknown, "rights": checks.Warning,
	} {
		if results[name].Status != want {
			t.Errorf("%s = %+v, want %s", name, results[name], want)
		}
	}
	if message := results["rights"].Message; !strings.Contains(message, "list, resolve, report, retry") {
		t.Errorf("rights: %s", message)
	}
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "nobody", "edit")
	harness.Eventually(t, func() string {
		results, _ := check(t, kubeconfig, "-n", ns)
		if results["rights"].Status != checks.OK || results["webhook"].Status != checks.OK {
			return fmt.Sprintf("%+v %+v", results["rights"], results["webhook"])
		}
		return ""
	})
}

func TestFindsEachBrokenPart(t *testing.T) {
	awaitHealthy(t)
	t.Cleanup(func() {
		if err := cluster.Reinstall(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	hasMutating, err := cluster.HasMutatingPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if hasMutating {
		cluster.Kubectl(t, "delete", "mutatingadmissionpolicybinding", "joberror-defaults")
		await(t, "policies", checks.Failed, "mutatingadmissionpolicybindings/joberror-defaults")
	}
	cluster.Kubectl(t, "delete", "validatingadmissionpolicybinding", "joberror-resolved-by")
	await(t, "policies", checks.Failed, "validatingadmissionpolicybindings/joberror-resolved-by")
	cluster.Kubectl(t, "delete", "validatingadmissionpolicy", "joberror-status")
	await(t, "policies", checks.Failed, "validatingadmissionpolicies/joberror-status")

	// The webhook configuration alone: writes still succeed, but createdAt is not filled in.
	cluster.Kubectl(t, "delete", "mutatingwebhookconfiguration", "joberror-operator")
	await(t, "webhook-config", checks.Failed, "does not exist")
	await(t, "webhook", checks.Failed, "without createdAt")
	if err := cluster.Reinstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitHealthy(t)

	// Stopped, the operator cannot repair what the test breaks.
	cluster.Kubectl(t, "scale", deployment, "-n", "joberror-system", "--replicas=0")
	await(t, "operator", checks.Failed, "scaled to 0")
	await(t, "leader", checks.Failed, "no replica leads")
	await(t, "webhook", checks.Failed, "without createdAt")
	await(t, "aggregated-api", checks.Failed, "GET /apis/resolve.joberror.io/v1")
	results := await(t, "apiservice", checks.Failed, "FailedDiscoveryCheck")
	for _, name := range []string{"crds", "ca-bundle", "certificate", "webhook-config", "kubernetes"} {
		if results[name].Status != checks.OK {
			t.Errorf("%s = %+v although only the pods are gone", name, results[name])
		}
	}

	certificate, key := expired(t)
	bundle := base64.StdEncoding.EncodeToString(certificate)
	cluster.Kubectl(t, "patch", "apiservice", "v1.resolve.joberror.io", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"caBundle":%q}}`, bundle))
	results = await(t, "ca-bundle", checks.Failed, "APIService v1.resolve.joberror.io expired on 2001-02-03")
	if got := results["certificate"]; got.Status != checks.Failed || !strings.Contains(got.Message, "does not trust") {
		t.Errorf("certificate = %+v although the API server trusts another CA", got)
	}
	cluster.Kubectl(t, "patch", "secret", "joberror-operator-certs", "-n", "joberror-system", "--type=merge",
		"-p", fmt.Sprintf(`{"data":{"tls.crt":%q,"tls.key":%q}}`, base64.StdEncoding.EncodeToString(certificate), base64.StdEncoding.EncodeToString(key)))
	await(t, "certificate", checks.Failed, "expired on 2001-02-03")
	cluster.Kubectl(t, "delete", "secret", "joberror-operator-certs", "-n", "joberror-system")
	await(t, "certificate", checks.Failed, "does not exist")

	cluster.Kubectl(t, "delete", "apiservice", "v1.resolve.joberror.io")
	await(t, "apiservice", checks.Failed, "does not exist")
	cluster.Kubectl(t, "delete", "crd", "joberrorretries.joberror.io", "--timeout=60s")
	await(t, "crds", checks.Failed, "joberrorretries.joberror.io does not exist")
	cluster.Kubectl(t, "delete", deployment, "-n", "joberror-system")
	await(t, "operator", checks.Failed, "no Deployment")
}

// TestIsHealthyAfterARepair runs after everything was installed again.
func TestIsHealthyAfterARepair(t *testing.T) { awaitHealthy(t) }

func TestAnUnreachableServerIsAnError(t *testing.T) {
	var out bytes.Buffer
	streams := genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &out}
	code := plugin.Run(t.Context(), []string{"check", "--kubeconfig", cluster.Kubeconfig, "--server", "https://127.0.0.1:1"}, streams)
	if code != 1 || !strings.Contains(out.String(), "reach the API server") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// expired returns a certificate that signed itself and expired in 2001, and its key, PEM encoded.
func expired(t *testing.T) (certificate, private []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "expired"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2001, 2, 3, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
