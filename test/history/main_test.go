// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package history tests that archived errors are found again, by those who may read the errors of
// the namespace, through the API server and with the plugin. The archive is on a real S3 server.
package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/test/harness"
)

// cluster runs an operator with an archive in a bucket of the server.
var (
	cluster harness.Cluster
	server  *harness.S3
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "joberror-s3-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "create the archive:", err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "remove the archive:", err)
		}
	}()
	if server, err = harness.RunS3(dir); err != nil {
		fmt.Fprintln(os.Stderr, "start the S3 server:", err)
		return 1
	}
	defer server.Kill()
	// The operator and the tests find the credentials and the CA in their environment.
	for _, variable := range server.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	cluster = harness.Cluster{FastControllers: true, Flags: []string{"--capture-grace=1s", "--archive-interval=1s", "--archive-url=" + server.URL(harness.S3Bucket)}}
	return harness.Main(m, &cluster)
}

// noon returns noon of a day of January 2026.
func noon(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }

// expired returns an error of a Job as it was before it was deleted.
func expired(namespace, name, job string, at time.Time) *joberrorv1.JobError {
	je := harness.JobError(namespace, name, job, harness.CreatedAt(at), func(je *joberrorv1.JobError) { je.Spec.Message = "message of " + name })
	je.UID, je.ResourceVersion, je.CreationTimestamp = uuid.NewUUID(), "1", metav1.NewTime(at)
	je.Labels = map[string]string{joberrorv1.LabelClass: joberrorv1.ClassApplication}
	je.Spec.Resolved = true
	je.Status = joberrorv1.JobErrorStatus{
		RetryID: "1", ResolvedBy: "ada", Occurrences: 3,
		Job: &joberrorv1.JobReference{Name: job, UID: types.UID("uid-of-" + job)},
	}
	return je
}

// uidOf returns the UID of a namespace.
func uidOf(t *testing.T, namespace string) types.UID {
	t.Helper()
	return harness.Get(t, cluster.Client, "", namespace, &corev1.Namespace{}).UID
}

// keep writes errors to the archive, as those of the namespace as it is now.
func keep(t *testing.T, errs ...*joberrorv1.JobError) {
	t.Helper()
	store, err := archive.Open(t.Context(), server.URL(harness.S3Bucket))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	uids := map[string]types.UID{}
	entries := make([]archive.Entry, len(errs))
	for i, je := range errs {
		if uids[je.Namespace] == "" {
			uids[je.Namespace] = uidOf(t, je.Namespace)
		}
		entries[i] = archive.Entry{Error: je, NamespaceUID: uids[je.Namespace]}
	}
	written, err := store.Write(t.Context(), uidOf(t, metav1.NamespaceSystem), entries)
	if err != nil || len(written) != len(errs) {
		t.Fatalf("%d of %d errors written: %v", len(written), len(errs), err)
	}
}

// objects returns the paths of the files of a namespace.
func objects(t *testing.T, namespace string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(server.Folder, "cluster=*", "namespace="+namespace, "date=*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
