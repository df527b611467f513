// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"joberror.io/operator/test/harness"
)

func TestAStoreThatIsDownHoldsBackErrorsUpToTheBacklog(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, 150)
	b.set(isDown)
	operate(t, b.url, append(metricsFlags(), "--archive-backlog=50")...)
	expectHeld(t, ns, 50, "ServiceUnavailable")
	expectMetric(t, "joberror_archive_lost_total 100\n")
	expectMetric(t, "joberror_archive_backlog 50\n")
	expectMetric(t, `joberror_archive_failures_total{reason="Unavailable"}`)
	harness.Eventually(t, func() string {
		out, err := cluster.Run(t.Context(), nil, "events", "-n", "joberror-system", "--for=lease/joberror-operator")
		if err != nil || !strings.Contains(out, "ArchiveLost") {
			return fmt.Sprintf("no Event: %v\n%s", err, out)
		}
		return ""
	})
	left := map[string]bool{}
	for _, je := range cluster.Errors(t, ns) {
		left[je.Name] = true
	}
	b.set(stores)
	for uid, name := range all {
		if !left[name] {
			delete(all, uid)
		}
	}
	expectMoved(t, all, ns, b.dir)
	// An error may be written twice: in the version with the condition, and in the one before.
	expectMetric(t, fmt.Sprintf("joberror_archive_written_total %d\n", countRows(t, b.dir)))
	expectMetric(t, "joberror_archive_backlog 0\n")
}

func TestAStoreThatIsSlow(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, 20)
	b.set(isSlow)
	operate(t, b.url)
	expectMoved(t, all, ns, b.dir)
}

func TestAStoreThatFailsAfterItWrote(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, 20)
	b.set(failsAfter)
	operate(t, b.url)
	expectHeld(t, ns, len(all), "InternalError")
	// The condition was the last change of each error. Once all are written with it, each further
	// write replaces an object.
	harness.EventuallyWithin(t, 2*time.Minute, func() string {
		before := len(files(t, b.dir))
		b.waitWrites(t, 12)
		if after := len(files(t, b.dir)); after != before {
			return fmt.Sprintf("12 writes raised the number of objects from %d to %d", before, after)
		}
		return ""
	})
	objects := len(files(t, b.dir))
	b.set(stores)
	expectMoved(t, all, ns, b.dir)
	if got := len(files(t, b.dir)); got != objects {
		t.Errorf("the writes that succeeded left %d objects, want %d as before", got, objects)
	}
}

func TestCredentialsThatHaveExpired(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, 20)
	b.set(tokenExpired)
	operate(t, b.url)
	expectHeld(t, ns, len(all), "ExpiredToken")
	b.set(stores)
	expectMoved(t, all, ns, b.dir)
}

func TestADirectoryWithoutSpace(t *testing.T) {
	ns, dir := cluster.Namespace(t), t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("a small file system can't be mounted: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 240<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	all := report(t, ns, 200)
	operate(t, "file://"+dir, metricsFlags()...)
	expectHeld(t, ns, len(all), "no space")
	expectMetric(t, `joberror_archive_failures_total{reason="NoSpace"}`)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	expectMoved(t, all, ns, dir)
}

func TestADirectoryThatCanNotBeWritten(t *testing.T) {
	ns, dir := cluster.Namespace(t), t.TempDir()
	all := report(t, ns, 20)
	// Something is in the way of the first folder. Permissions do not stop root.
	if err := os.WriteFile(filepath.Join(dir, "cluster="+clusterUID(t)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	operate(t, "file://"+dir)
	expectHeld(t, ns, len(all), "not a directory")
	if err := os.Remove(filepath.Join(dir, "cluster="+clusterUID(t))); err != nil {
		t.Fatal(err)
	}
	expectMoved(t, all, ns, dir)
}

func TestANamespaceThatTheStoreRefusesHoldsUpNoOther(t *testing.T) {
	refused, other, dir := cluster.Namespace(t), cluster.Namespace(t), t.TempDir()
	folder := filepath.Join(dir, "cluster="+clusterUID(t))
	inTheWay := filepath.Join(folder, "namespace="+refused)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	operate(t, "file://"+dir)
	// Each batch has an error of both namespaces, because they expire two seconds apart.
	const batches = 10
	for n := range batches {
		expiresAt := time.Now().Add(5*time.Second + time.Duration(n)*2*time.Second)
		for _, ns := range []string{refused, other} {
			harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", n), "job", harness.CreatedAt(expiresAt.Add(-7*24*time.Hour))))
		}
	}
	waitGone(t, other)
	expectHeld(t, refused, batches, "not a directory")
	if got := len(archived(t, dir, other)); got != batches {
		t.Errorf("the archive has %d errors of the other namespace, want %d", got, batches)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	waitGone(t, refused)
	if got := len(archived(t, dir, refused)); got != batches {
		t.Errorf("the archive has %d errors of the namespace, want %d", got, batches)
	}
}
