// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

func TestClass(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		failure Failure
		want    string
	}{
		{Failure{Code: "ExitCode:1"}, joberrorv1.ClassApplication},
		{Failure{Code: "ExitCode:137"}, joberrorv1.ClassApplication},
		{Failure{Code: "BackoffLimitExceeded"}, joberrorv1.ClassApplication},
		{Overflow(Failure{Code: "Evicted", Disruption: true}, 100), joberrorv1.ClassApplication},
		{Failure{Code: "OOMKilled"}, joberrorv1.ClassResources},
		{Failure{Code: "Evicted", Disruption: true}, joberrorv1.ClassResources},
		{Failure{Code: "Unschedulable"}, joberrorv1.ClassResources},
		{Failure{Code: "OutOfcpu", Disruption: true}, joberrorv1.ClassResources},
		{Failure{Code: "OutOfnvidia.com/gpu", Disruption: true}, joberrorv1.ClassResources},
		{Failure{Code: "ImagePullBackOff"}, joberrorv1.ClassImage},
		{Failure{Code: "InvalidImageName"}, joberrorv1.ClassImage},
		{Failure{Code: "CreateContainerConfigError"}, joberrorv1.ClassConfiguration},
		{Failure{Code: "StartError"}, joberrorv1.ClassConfiguration},
		{Failure{Code: "FailedMount"}, joberrorv1.ClassConfiguration},
		{Failure{Code: "FailedCreatePodSandBox"}, joberrorv1.ClassInfrastructure},
		{Failure{Code: "UnexpectedAdmissionError", Disruption: true}, joberrorv1.ClassInfrastructure},
		{Failure{Code: "NodeLost", Disruption: true}, joberrorv1.ClassInfrastructure},
		{Failure{Code: "Terminated", Disruption: true}, joberrorv1.ClassInfrastructure},
		{Failure{Code: "ContainerStatusUnknown"}, joberrorv1.ClassInfrastructure},
		{Failure{Code: "DeadlineExceeded"}, joberrorv1.ClassDeadline},
		{Failure{Code: "PodFailurePolicy"}, joberrorv1.ClassPolicy},
		{Failure{Code: "MissSchedule", CronJob: true}, joberrorv1.ClassSchedule},
		{Failure{Code: "FailedCreate", CronJob: true, Message: "Error creating job: exceeded quota: objects"}, joberrorv1.ClassSchedule},
		{Failure{Report: &resolvev1.Record{Code: "OOMKilled"}}, joberrorv1.ClassData},

		// Codes that codesOf does not list.
		{Failure{Code: "SomeRuntimesReason"}, joberrorv1.ClassApplication},
		{Failure{Code: "SomeAdmissionReason", Disruption: true}, joberrorv1.ClassInfrastructure},
		{Failure{}, joberrorv1.ClassApplication},
	} {
		if got := tc.failure.Class(); got != tc.want {
			t.Errorf("Class of %+v = %q, want %q", tc.failure, got, tc.want)
		}
	}
}

// Kubernetes 1.36 writes these messages.
func TestClassOfFailedCreateDependsOnTheMessage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`Error creating: pods "job-x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10`:           joberrorv1.ClassResources,
		`Error creating: pods "job-x" is forbidden: failed quota: compute: must specify limits.memory for: main`:                           joberrorv1.ClassConfiguration,
		`Error creating: pods "job-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`:           joberrorv1.ClassConfiguration,
		`Error creating: pods "job-x" is forbidden: error looking up service account team/import: serviceaccount "import" not found`:       joberrorv1.ClassConfiguration,
		`Error creating: admission webhook "policy.example.com" denied the request: no latest tag`:                                         joberrorv1.ClassConfiguration,
		`Error creating: pods "job-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi`:                           joberrorv1.ClassConfiguration,
		`Error creating: Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: connection refused`: joberrorv1.ClassInfrastructure,
		`Error creating: Internal error occurred: resource quota evaluation timed out`:                                                     joberrorv1.ClassInfrastructure,
		`Error creating: etcdserver: request timed out`:                                                                                    joberrorv1.ClassInfrastructure,
	} {
		if got := (Failure{Code: "FailedCreate", Message: message}).Class(); got != want {
			t.Errorf("Class = %q, want %q for FailedCreate with the message\n%s", got, want, message)
		}
	}
}

func TestEveryCodeHasAClass(t *testing.T) {
	t.Parallel()
	codes := []string{
		// The limit on the errors of a Job.
		overflowCode,
		// Containers: the kubelet and the runtimes.
		reasonOOMKilled, reasonLost, "ContainerCannotRun", "StartError",
		// Pods: the scheduler, the controllers and the eviction API.
		corev1.PodReasonUnschedulable, corev1.PodReasonPreemptionByScheduler, corev1.PodReasonTerminationByKubelet,
		"DeletionByTaintManager", "DeletionByDeviceTaintManager", "EvictionByEvictionAPI", "DeletionByPodGC", reasonNodeLost,
		// Pods that the kubelet ended or rejected.
		"Evicted", "Preempting", "DeadlineExceeded", "Terminated", "NodeShutdown",
		"OutOfcpu", "OutOfmemory", "OutOfephemeral-storage", "OutOfpods", "OutOfexample.com/gpu", "VolumeAttachmentLimitExceeded",
		"TopologyAffinityError", "SMTAlignmentError", "EmptyPodSharedPoolError", "UnexpectedAdmissionError",
		"NodeAffinity", "NodeName", "NodePorts", "TaintToleration", "InvalidNodeInfo", "UnknownReason", "UnexpectedPredicateFailureType",
		"PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported",
		"PodLevelResourcesNotSupported", "PodFeatureUnsupported", "AppArmor", "SysctlForbidden",
		// Events.
		"FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", reasonFailedCreate,
		"MissSchedule", "TooManyMissedTimes", "UnparseableSchedule", "InvalidSchedule", "UnknownTimeZone",
	}
	for _, code := range waitCodes {
		codes = append(codes, code)
	}
	codes = append(codes, PodEventReasons...)
	codes = slices.AppendSeq(codes, maps.Keys(cronJobEventReasons))
	codes = slices.AppendSeq(codes, maps.Keys(jobEventReasons))
	codes = append(codes, jobFailureReasons(t)...)
	for _, code := range codes {
		if !hasClass(code) {
			t.Errorf("%s has no class", code)
		}
	}
}

func hasClass(code string) bool {
	_, known := classes[code]
	return known || code == reasonFailedCreate || strings.HasPrefix(code, outOf)
}

// jobFailureReasons returns the reasons for which a Job fails in the Kubernetes version
// of go.mod. It reads them from the source of the API package.
func jobFailureReasons(t *testing.T) []string {
	t.Helper()
	successReasons := []string{batchv1.JobReasonSuccessPolicy, batchv1.JobReasonCompletionsReached}
	apiPackage, err := build.Import("k8s.io/api/batch/v1", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(apiPackage.Dir, "types.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "JobReason") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(successReasons, reason) {
			reasons = append(reasons, reason)
		}
		return true
	})
	if !slices.Contains(reasons, batchv1.JobReasonBackoffLimitExceeded) {
		t.Fatalf("reasons in k8s.io/api/batch/v1 = %v, want %s among them", reasons, batchv1.JobReasonBackoffLimitExceeded)
	}
	return reasons
}

func TestEveryCodeHasOnlyOneClass(t *testing.T) {
	t.Parallel()
	classOf := map[string]string{}
	for class, codes := range codesOf {
		if !slices.Contains(joberrorv1.Classes(), class) {
			t.Errorf("%s is not a declared class", class)
		}
		for _, code := range codes {
			if other, known := classOf[code]; known {
				t.Errorf("%s has two classes: %s and %s", code, class, other)
			}
			classOf[code] = class
		}
	}
}

func TestDocsListEveryClass(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "capture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(docs), "## My code or the cluster?")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(section, -1)
	var listed []string
	for _, row := range rows {
		class := row[1]
		listed = append(listed, class)
		for _, code := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			if got := (Failure{Code: code[1]}).Class(); code[1] != reasonFailedCreate && got != class {
				t.Errorf("docs/capture.md lists %s under %s, want %s", code[1], class, got)
			}
		}
	}
	if !slices.Equal(listed, joberrorv1.Classes()) {
		t.Errorf("docs/capture.md lists the classes %v, want %v", listed, joberrorv1.Classes())
	}
}
