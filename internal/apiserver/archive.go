// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
)

const (
	// archiveTimeout limits how long a read of the archive takes. The API server in front times
	// out after 60 seconds.
	archiveTimeout = 40 * time.Second
	// archiveRetryAfter is how many seconds a client waits if the archive can't be read.
	archiveRetryAfter = 10
	// maxSkippedNamed limits the skipped objects that an answer names.
	maxSkippedNamed = 5
)

// archiveSource reads archived errors for requests.
type archiveSource struct {
	// store is nil if the operator has no archive.
	store     ArchiveReader
	apiReader client.Reader
	places    *places

	mu      sync.Mutex
	cluster types.UID
}

func newArchiveSource(store ArchiveReader, apiReader client.Reader) *archiveSource {
	return &archiveSource{store: store, apiReader: apiReader, places: newPlaces(archivePlaces)}
}

// archiveAnswer is a page of archived records.
type archiveAnswer struct {
	records []resolvev1.ArchivedRecord
	// next is the value of ?continue for the next page.
	next string
	// through is the day that the search has reached.
	through string
	// skipped names the objects that were skipped.
	skipped []string
}

// read returns a page of the archived errors of a job. It does not look for the Job, because the
// Job may be gone from the cluster.
func (a *archiveSource) read(ctx context.Context, namespace, id string, request archiveRequest) (archiveAnswer, error) {
	if a.store == nil {
		return archiveAnswer{}, noArchive()
	}
	leave, ok := a.places.enter(namespace)
	if !ok {
		return archiveAnswer{}, refuse(refusedArchive, fmt.Sprintf("a replica of the operator serves at most %d reads of the archive, %d of them for one namespace", archivePlaces, a.places.ofNamespace()))
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	query, err := a.query(ctx, namespace, id, request)
	if err != nil {
		return archiveAnswer{}, err
	}
	page, err := a.store.Find(ctx, query)
	if err != nil {
		return archiveAnswer{}, describeArchiveError(ctx, err)
	}
	return answerOf(ctx, namespace, page), nil
}

// query returns the query for a request.
func (a *archiveSource) query(ctx context.Context, namespace, id string, request archiveRequest) (archive.Query, error) {
	query := archive.Query{Namespace: namespace, Job: id, Since: request.since, Until: request.until, Limit: request.limit, Continue: request.next}
	var err error
	if query.ClusterUID, err = a.clusterUID(ctx); err != nil {
		return query, err
	}
	// The cache may still have a namespace that was deleted and created again, perhaps by somebody
	// else.
	query.NamespaceUID, err = namespaceUID(ctx, a.apiReader, namespace)
	return query, err
}

// clusterUID returns the UID of the namespace kube-system, which names the cluster in the archive.
func (a *archiveSource) clusterUID(ctx context.Context) (types.UID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cluster != "" {
		return a.cluster, nil
	}
	uid, err := namespaceUID(ctx, a.apiReader, metav1.NamespaceSystem)
	if err == nil {
		a.cluster = uid
	}
	return uid, err
}

// namespaceUID returns the UID of a namespace as the API server has it now. It lists, because the
// operator may list and watch namespaces, and needs no more rights for this.
func namespaceUID(ctx context.Context, apiReader client.Reader, name string) (types.UID, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := apiReader.List(ctx, list, client.MatchingFields{metav1.ObjectNameField: name}); err != nil {
		return "", fmt.Errorf("read namespace %s: %w", name, err)
	}
	for i := range list.Items {
		if list.Items[i].Name == name {
			return list.Items[i].UID, nil
		}
	}
	return "", notFound(name, fmt.Sprintf("namespace %s does not exist", name))
}

// answerOf returns the answer for a page of the archive.
func answerOf(ctx context.Context, namespace string, page archive.Page) archiveAnswer {
	answer := archiveAnswer{records: make([]resolvev1.ArchivedRecord, 0, len(page.Records)), next: page.Continue}
	skip := func(object string, err error) {
		klog.FromContext(ctx).Info("Skipped a part of the archive", "namespace", namespace, "object", object, "reason", err.Error())
		answer.skipped = append(answer.skipped, object)
	}
	for _, problem := range page.Skipped {
		skip(problem.Object, problem.Err)
	}
	for i := range page.Records {
		je := &joberrorv1.JobError{}
		err := json.Unmarshal([]byte(page.Records[i].Object), je)
		if err == nil && je.Namespace != namespace {
			err = fmt.Errorf("the JobError is of namespace %q", je.Namespace)
		}
		if err != nil {
			skip("a record", err)
			continue
		}
		answer.records = append(answer.records, archivedRecordOf(je, page.Records[i].ArchivedAt))
	}
	if !page.Through.IsZero() {
		answer.through = page.Through.UTC().Format(time.DateOnly)
	}
	return answer
}

// noArchive returns the 404 of an operator without an archive.
func noArchive() error {
	err := &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
		Message: "this cluster has no archive: the operator runs without --archive-url",
		Details: &metav1.StatusDetails{Group: joberrorv1.GroupVersion.Group, Kind: "joberrors", Causes: []metav1.StatusCause{
			{Type: resolvev1.CauseNoArchive, Field: archivedParam, Message: "the operator runs without --archive-url"},
		}},
	}}
	return err
}

// describeArchiveError returns the error for a client. Only the log has what the store said, which
// may name things that not every user of a namespace may see.
func describeArchiveError(ctx context.Context, err error) error {
	if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
		return err
	}
	if errors.Is(err, archive.ErrContinue) {
		return apierrors.NewBadRequest("continue: must be the value of the header " + continueHeader + " of an answer for this job with archived=true")
	}
	if errors.Is(err, archive.ErrNamespace) {
		return apierrors.NewResourceExpired("continue: the namespace was deleted and created again since; list again from the start")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return apierrors.NewTimeoutError(fmt.Sprintf("reading the archive takes more than %s: ask for less with since, until or limit", archiveTimeout), archiveRetryAfter)
	}
	if !errors.Is(err, context.Canceled) {
		klog.FromContext(ctx).Error(err, "Failed to read the archive")
	}
	unavailable := apierrors.NewServiceUnavailable("the archive can't be read: the log of the operator says why")
	unavailable.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: archiveRetryAfter}
	return unavailable
}

// serveArchived serves GET jobs/{id}/joberrors?archived=true: 200 and a bare array of records.
func (e *jobEndpoint) serveArchived(w http.ResponseWriter, r *http.Request) {
	answer, err := e.listArchived(r)
	if err != nil {
		e.responder.Error(err)
		return
	}
	if answer.next != "" {
		w.Header().Set(continueHeader, answer.next)
	}
	if answer.through != "" {
		w.Header().Set(resolvev1.HeaderArchiveThrough, answer.through)
	}
	w.Header().Set(resolvev1.HeaderArchiveSkipped, strconv.Itoa(len(answer.skipped)))
	for _, object := range answer.skipped[:min(len(answer.skipped), maxSkippedNamed)] {
		warning.AddWarning(r.Context(), "", fmt.Sprintf("a part of the archive was skipped: %q", object))
	}
	writeArray(r.Context(), w, http.StatusOK, len(answer.records), func(i int) any { return &answer.records[i] })
}

func (e *jobEndpoint) listArchived(r *http.Request) (archiveAnswer, error) {
	request, err := parseArchiveRequest(r.URL.Query(), time.Now())
	if err != nil {
		return archiveAnswer{}, err
	}
	if !isName(e.id) {
		return archiveAnswer{}, e.unknown()
	}
	return e.archive.read(r.Context(), e.namespace, e.id, request)
}
