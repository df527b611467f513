// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

// Create creates an object, or fails the test.
func Create[T client.Object](t testing.TB, c client.Client, obj T) T {
	t.Helper()
	if err := c.Create(t.Context(), obj); err != nil {
		t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
	}
	return obj
}

// Get reads an object, or fails the test.
func Get[T client.Object](t testing.TB, c client.Client, namespace, name string, obj T) T {
	t.Helper()
	if err := c.Get(t.Context(), Key(namespace, name), obj); err != nil {
		t.Fatalf("get %T %s: %v", obj, name, err)
	}
	return obj
}

// MergePatch returns a JSON merge patch.
func MergePatch(body string) client.Patch {
	return client.RawPatch(types.MergePatchType, []byte(body))
}

// Namespace creates a namespace for the test, and returns its name, which starts with the
// test's name.
func (c *Cluster) Namespace(t testing.TB) string {
	t.Helper()
	prefix := strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name()))
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: strings.Trim(prefix[:min(len(prefix), 50)], "-") + "-"}}
	return Create(t, c.Client, ns).Name
}

// Grant binds a ClusterRole with rights on joberror.io to a user in a namespace, and waits
// until the API server applies it.
func (c *Cluster) Grant(t testing.TB, namespace, user, role string) {
	t.Helper()
	Create(t, c.Client, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: role + "-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	Eventually(t, func() string {
		// The API server aggregates the operator's roles into the built-in roles with a delay.
		for _, rule := range Get(t, c.Client, "", role, &rbacv1.ClusterRole{}).Rules {
			if !slices.Contains(rule.APIGroups, joberrorv1.GroupVersion.Group) {
				continue
			}
			review := &authorizationv1.LocalSubjectAccessReview{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
				Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: namespace, Group: joberrorv1.GroupVersion.Group, Verb: rule.Verbs[0], Resource: rule.Resources[0],
				}},
			}
			if Create(t, c.Client, review).Status.Allowed {
				return ""
			}
		}
		return "user " + user + " does not have the rights of " + role + " yet"
	})
}

// Job returns a suspended Job, which runs no pod.
func Job(namespace, name string, options ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: batchv1.JobSpec{
			Suspend: ptr.To(true), BackoffLimit: ptr.To[int32](0),
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "main", Image: "busybox"}},
			}},
		},
	}
	for _, option := range options {
		option(job)
	}
	return job
}

// Annotated sets an annotation on a Job.
func Annotated(key, value string) func(*batchv1.Job) {
	return func(job *batchv1.Job) { metav1.SetMetaDataAnnotation(&job.ObjectMeta, key, value) }
}

// Failing makes a Job run, and its container fail with this exit code.
func Failing(code string) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.Suspend = nil
		metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/exit-code", code)
	}
}

// Indexed makes a Job run n indexes, all at the same time, each once.
func Indexed(n int32) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		job.Spec.Completions, job.Spec.Parallelism = ptr.To(n), ptr.To(n)
		job.Spec.BackoffLimit, job.Spec.BackoffLimitPerIndex = nil, ptr.To[int32](0)
	}
}

// FailingOnlyAt makes a Job run, and only the pod of one index fail.
func FailingOnlyAt(index string) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		Failing("3")(job)
		metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/fail-index", index)
	}
}

// WithPodStatus makes a Job run, and gives its pods this status in YAML.
func WithPodStatus(status string) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.Suspend = nil
		metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/status", status)
	}
}

// JobError returns an error of a Job.
func JobError(namespace, name, job string, options ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       joberrorv1.JobErrorSpec{JobID: job, Code: "code", Message: "message of " + name},
	}
	for _, option := range options {
		option(je)
	}
	return je
}

// CreateMany creates n errors with the names e-0000, e-0001 and so on, several at a time.
func (c *Cluster) CreateMany(t testing.TB, namespace, job string, n int) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error {
			return c.Client.Create(ctx, JobError(namespace, fmt.Sprintf("e-%04d", i), job))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// CreatedAt sets the time at which an error happened.
func CreatedAt(at time.Time) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Spec.CreatedAt = at.UTC().Format(time.RFC3339Nano) }
}

// Resolution returns a resolution of a Job's errors with these names, or of all open errors
// if there are no names.
func Resolution(namespace, name, job string, names ...string) *joberrorv1.JobErrorResolution {
	return &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       joberrorv1.JobErrorResolutionSpec{JobID: job, Errors: names},
	}
}

// OperatorPods returns the names of the operator's pods.
func (c *Cluster) OperatorPods(t testing.TB) []string {
	t.Helper()
	var list corev1.PodList
	if err := c.Client.List(t.Context(), &list, client.InNamespace(attribution.OperatorNamespace)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}
