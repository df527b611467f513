// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package archivestore tests the store of the archive on a real S3 server, with TLS.
package archivestore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/test/harness"
)

const (
	cluster   = types.UID("6f4dfa36-8a53-4b4c-9a7b-3f1f6f0d0000")
	namespace = types.UID("0c3d3b1a-0000-4000-8000-000000000001")
)

// setEnv sets the environment of the SDK: each variable as NAME=VALUE.
func setEnv(t *testing.T, env ...string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_REGION"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}

func open(t *testing.T, url string) *archive.Store {
	t.Helper()
	store, err := archive.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// entries returns errors of a Job, one for each minute of a day.
func entries(job string, n int) []archive.Entry {
	all := make([]archive.Entry, n)
	for i := range all {
		all[i] = archive.Entry{NamespaceUID: namespace, Error: &joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprintf("%s-%d", job, i), UID: types.UID(fmt.Sprintf("%s-uid-%d", job, i)), ResourceVersion: "1"},
			Spec:       joberrorv1.JobErrorSpec{JobID: job, CreatedAt: fmt.Sprintf("2026-11-%02dT%02d:%02d:00Z", 1+i/1440, i/60%24, i%60), Message: "no such customer"},
		}}
	}
	return all
}

func query(job string) archive.Query {
	return archive.Query{ClusterUID: cluster, Namespace: "team", NamespaceUID: namespace, Job: job, Limit: 10_000}
}

func TestS3(t *testing.T) {
	server := harness.StartS3(t)
	setEnv(t, server.Env()...)
	store := open(t, server.URL(harness.S3Bucket)+"&prefix=joberrors/")
	if written, err := store.Write(t.Context(), cluster, append(entries("load", 2000), entries("other", 100)...)); err != nil || len(written) != 2100 {
		t.Fatalf("wrote %d records: %v", len(written), err)
	}
	// The bucket is addressed in the path: its name is no part of the host.
	days, err := filepath.Glob(filepath.Join(server.Folder, "joberrors", "cluster="+string(cluster), "namespace=team", "date=2026-11-0*", "part-"+string(namespace)+"-*.parquet"))
	if err != nil || len(days) != 2 {
		t.Fatalf("the bucket has %v, want an object for each of two days: %v", days, err)
	}
	q := query("load")
	q.Limit = 1500
	found := map[string]bool{}
	for pages := 1; ; pages++ {
		page, err := store.Find(t.Context(), q)
		if err != nil || len(page.Skipped) > 0 {
			t.Fatalf("Find skipped %v: %v", page.Skipped, err)
		}
		for i := range page.Records {
			found[page.Records[i].Name] = true
		}
		if q.Continue = page.Continue; q.Continue == "" {
			break
		}
		if pages == 10 {
			t.Fatal("the pages do not end")
		}
	}
	if len(found) != 2000 {
		t.Errorf("found %d records, want 2000", len(found))
	}

	if err := os.WriteFile(days[0], []byte("not a Parquet file"), 0o600); err != nil {
		t.Fatal(err)
	}
	page, err := store.Find(t.Context(), query("other"))
	if err != nil || len(page.Skipped) != 1 || !strings.Contains(page.Skipped[0].Object, filepath.Base(days[0])) {
		t.Errorf("skipped %v: %v; want the damaged object", page.Skipped, err)
	}
}

func TestS3Errors(t *testing.T) {
	server := harness.StartS3(t)
	notACA := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(notACA, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		bucket, access, secret string
		env                    []string
		reason, text           string
	}{
		"a missing bucket":        {bucket: "missing", reason: archive.ReasonNoBucket, text: "the bucket does not exist: NoSuchBucket"},
		"an unknown access key":   {access: "stranger", reason: archive.ReasonForbidden, text: "the store refuses the access or the credentials: InvalidAccessKeyId"},
		"a wrong secret":          {secret: "wrong", reason: archive.ReasonForbidden, text: "the store refuses the access or the credentials: SignatureDoesNotMatch"},
		"no credentials":          {env: harness.S3NoEnv(), reason: archive.ReasonForbidden, text: "the store refuses the access or the credentials: no credentials"},
		"a CA that is not known":  {access: harness.S3AccessKey, env: []string{"AWS_CA_BUNDLE="}, reason: archive.ReasonCertificate, text: "the certificate of the store is not trusted (set AWS_CA_BUNDLE to a file with its CA)"},
		"another server's CA":     {env: []string{"AWS_CA_BUNDLE=" + harness.StartS3(t).CAFile}, reason: archive.ReasonCertificate, text: "the certificate of the store is not trusted"},
		"a file that is not a CA": {env: []string{"AWS_CA_BUNDLE=" + notACA}, text: "open the archive"},
		"a CA file that is gone":  {env: []string{"AWS_CA_BUNDLE=" + notACA + ".missing"}, text: "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, server.Env()...)
			for variable, value := range map[string]string{"AWS_ACCESS_KEY_ID": tc.access, "AWS_SECRET_ACCESS_KEY": tc.secret} {
				if value != "" {
					t.Setenv(variable, value)
				}
			}
			if name == "no credentials" {
				setEnv(t, append(tc.env, "AWS_CA_BUNDLE="+server.CAFile)...)
			} else {
				for _, pair := range tc.env {
					variable, value, _ := strings.Cut(pair, "=")
					t.Setenv(variable, value)
				}
			}
			bucket := harness.S3Bucket
			if tc.bucket != "" {
				bucket = tc.bucket
			}
			store, err := archive.Open(t.Context(), server.URL(bucket))
			if tc.reason == "" {
				if err == nil || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("Open: %v, want %q", err, tc.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			_, writeErr := store.Write(t.Context(), cluster, entries("load", 1))
			_, findErr := store.Find(t.Context(), query("load"))
			for what, err := range map[string]error{"Write": writeErr, "Find": findErr} {
				if err == nil || !strings.Contains(err.Error(), tc.text) || archive.Reason(err) != tc.reason {
					t.Errorf("%s: %s: %v; want %s: %q", what, archive.Reason(err), err, tc.reason, tc.text)
				}
			}
		})
	}
}

func TestS3IsDown(t *testing.T) {
	server := harness.StartS3(t)
	setEnv(t, server.Env()...)
	store := open(t, server.URL(harness.S3Bucket))
	if _, err := store.Write(t.Context(), cluster, entries("load", 3)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	written, err := store.Write(t.Context(), cluster, entries("other", 3))
	if err == nil || len(written) > 0 || archive.Reason(err) != archive.ReasonUnavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("wrote %d records to a server that is down: %v", len(written), err)
	}
	if page, err := store.Find(t.Context(), query("load")); err == nil || len(page.Skipped) > 0 {
		t.Errorf("found %+v on a server that is down: %v", page, err)
	}
	server.Start(t)
	if _, err := store.Write(t.Context(), cluster, entries("other", 3)); err != nil {
		t.Error(err)
	}
	for _, job := range []string{"load", "other"} {
		if page, err := store.Find(t.Context(), query(job)); err != nil || len(page.Records) != 3 {
			t.Errorf("found %d records of %s, want 3: %v", len(page.Records), job, err)
		}
	}
}
