// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
)

const (
	// archivedErrors is the number of errors in the archive that is searched.
	archivedErrors = 1_000_000
	// archivedSample is the number of errors whose size in the archive is measured.
	archivedSample = 100_000
	// archivedPerDay spreads the errors over 100 days, and archivedPerJob over 250,000 Jobs.
	archivedPerDay, archivedPerJob = 10_000, 4
)

// archiveSize holds how large errors are in the archive.
type archiveSize struct {
	batch          int
	objects, bytes int64
	took           time.Duration
}

// archiveSearch holds what it costs to find the errors of a Job.
type archiveSearch struct {
	latency
	objects, bytes []int64
}

// archiveWriter writes made-up errors to an archive in a directory.
type archiveWriter struct {
	store   *archive.Store
	dir     string
	cluster types.UID
	random  *rand.Rand
	first   time.Time
}

// archived measures the size of errors in the archive, the search for a Job, and expiry with an
// archive. The archive is on the disk.
func (b *bench) archived(ctx context.Context, r *results) (err error) {
	dir, err := os.MkdirTemp("", "joberror-archive-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, batch := range []int{100, 1000, archive.MaxRecords} {
		w, err := newArchiveWriter(ctx, filepath.Join(dir, strconv.Itoa(batch)))
		if err != nil {
			return err
		}
		logf("%d errors to the archive, %d at once", archivedSample, batch)
		size, err := w.fill(ctx, archivedSample, batch)
		if err = errors.Join(err, w.store.Close()); err != nil {
			return err
		}
		r.archiveSizes = append(r.archiveSizes, size)
	}
	w, err := newArchiveWriter(ctx, filepath.Join(dir, "search"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	logf("%d errors to the archive", archivedErrors)
	if _, err := w.fill(ctx, archivedErrors, 1000); err != nil {
		return err
	}
	for _, s := range []struct {
		name  string
		times int
		days  int
	}{{"in the 7 days around its errors", 200, 3}, {"in all 100 days", 50, 0}} {
		logf("find a Job %s", s.name)
		found, err := w.search(ctx, s.name, s.times, s.days)
		if err != nil {
			return err
		}
		r.archiveSearches = append(r.archiveSearches, found)
	}
	return b.expireArchived(ctx, r)
}

func newArchiveWriter(ctx context.Context, dir string) (*archiveWriter, error) {
	store, err := archive.Open(ctx, "file://"+dir+"?create_dir=true")
	if err != nil {
		return nil, err
	}
	w := &archiveWriter{store: store, dir: dir, cluster: "6f4dfa36-8a53-4b4c-9a7b-3f1f6f0d0000", random: rand.New(rand.NewPCG(1, 2))}
	w.first = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return w, nil
}

// fill writes n errors of one namespace in batches, and measures what they occupy.
func (w *archiveWriter) fill(ctx context.Context, n, batch int) (archiveSize, error) {
	size := archiveSize{batch: batch}
	for from := 0; from < n; from += batch {
		entries := make([]archive.Entry, batch)
		for i := range entries {
			entries[i] = archive.Entry{Error: archivedError(from+i, w.at(from+i)), NamespaceUID: "0c3d3b1a-0000-4000-8000-000000000001"}
		}
		began := time.Now()
		written, err := w.store.Write(ctx, w.cluster, entries)
		size.took += time.Since(began)
		if err != nil {
			return size, err
		}
		if len(written) != batch {
			return size, fmt.Errorf("the archive acknowledged %d of %d errors", len(written), batch)
		}
	}
	err := filepath.WalkDir(w.dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size.objects++
			size.bytes += info.Size()
		}
		return err
	})
	return size, err
}

// at returns when an error happened.
func (w *archiveWriter) at(i int) time.Time {
	return w.first.AddDate(0, 0, i/archivedPerDay).Add(time.Duration(i%archivedPerDay) * 8 * time.Second)
}

func archivedJob(i int) string { return fmt.Sprintf("nightly-import-%d", 29_000_000+i/archivedPerJob) }

// archivedError returns an error as it is when it expires. Half of them are resolved.
func archivedError(i int, at time.Time) *joberrorv1.JobError {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: archivedJob(i)}}
	job.UID = types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i/archivedPerJob)*2654435761, i/archivedPerJob))
	je := jobError("team", job.Name, i)
	je.UID, je.ResourceVersion = uuid.NewUUID(), strconv.Itoa(1_000_000+i)
	je.Spec.UserID, je.Spec.CreatedAt, je.Spec.Resolved = "system:serviceaccount:team:importer", at.Format(time.RFC3339), i%2 == 0
	joblink.Apply(je, job, "0c3d3b1a-0000-4000-8000-000000000001", retention.Policy{})
	je.Labels[joberrorv1.LabelCronJobName], je.Labels[joberrorv1.LabelClass] = "nightly-import", joberrorv1.ClassData
	je.Status = statusOf(job, je.Spec.Resolved)
	return je
}

// search finds random Jobs: in some days before and after their errors, or in all days if days
// is 0.
func (w *archiveWriter) search(ctx context.Context, name string, times, days int) (archiveSearch, error) {
	result := archiveSearch{latency: latency{name: name}}
	for range times {
		i := w.random.IntN(archivedErrors/archivedPerJob) * archivedPerJob
		q := archive.Query{ClusterUID: w.cluster, Namespace: "team", NamespaceUID: "0c3d3b1a-0000-4000-8000-000000000001", Job: archivedJob(i), Limit: 500}
		if days > 0 {
			q.Since, q.Until = w.at(i).AddDate(0, 0, -days), w.at(i).AddDate(0, 0, days)
		}
		var records int
		var objects, bytes int64
		err := result.measure(func() error {
			for {
				page, err := w.store.Find(ctx, q)
				if err != nil {
					return err
				}
				records, objects, bytes = records+len(page.Records), objects+int64(page.Objects), bytes+page.BytesRead
				if q.Continue = page.Continue; q.Continue == "" {
					return nil
				}
			}
		})
		if err != nil {
			return result, err
		}
		if records != archivedPerJob {
			return result, fmt.Errorf("the archive has %d errors of %s, want %d", records, q.Job, archivedPerJob)
		}
		result.objects, result.bytes = append(result.objects, objects), append(result.bytes, bytes)
	}
	return result, nil
}

func median(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (r *results) writeArchived(line func(string, ...any)) {
	if len(r.archiveSearches) == 0 {
		return
	}
	line("")
	r.section(line, "The archive")
	line("%d errors of one namespace and 25,000 Jobs, in a directory. Their texts are similar, so they compress well; stack traces take more. The more are written at once, the smaller they are:\n", archivedSample)
	line("| errors in an object | objects | bytes per error | errors written per second |")
	line("|--:|--:|--:|--:|")
	for _, s := range r.archiveSizes {
		line("| %d | %d | **%d** | %.0f |", s.batch, s.objects, s.bytes/archivedSample, archivedSample/s.took.Seconds())
	}
	line("\nThe errors of one Job, %d of %d in objects of 1,000 that span 100 days, all pages. The search is that of the library on local files: it leaves out the API server, the plugin and the network of an object store.\n", archivedPerJob, archivedErrors)
	line("| search | times | p50 | p99 | longest | objects | bytes read, p50 | most |")
	line("|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, s := range r.archiveSearches {
		line("| %s | %d | %s | %s | %s | %d | %.1f MB | %.1f MB |", s.name, len(s.took), milliseconds(s.percentile(50)), milliseconds(s.percentile(99)), milliseconds(slices.Max(s.took)),
			median(s.objects), float64(median(s.bytes))/1e6, float64(slices.Max(s.bytes))/1e6)
	}
	r.archivedExpiry.write(line)
}
