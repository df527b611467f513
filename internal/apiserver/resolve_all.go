// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/panics"
	"joberror.io/operator/internal/resolution"
)

const (
	// indexUnderWay finds the resolutions of every error of a job that are not complete.
	indexUnderWay = "underway"
	// maxUnderWay limits these resolutions: one that is carried out, and one for the errors
	// that the first does not include.
	maxUnderWay = 2
	// choiceTimeout limits how long it takes to find or create a resolution.
	choiceTimeout = 20 * time.Second
)

// indexResolutions adds the index of the resolutions that are under way to the manager's
// cache. It must be called before the cache starts.
func indexResolutions(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &joberrorv1.JobErrorResolution{}, indexUnderWay, underWayKeys)
}

// underWayKeys returns the keys of a resolution in indexUnderWay.
func underWayKeys(obj client.Object) []string {
	jer := obj.(*joberrorv1.JobErrorResolution)
	if len(jer.Spec.Errors) > 0 || resolution.IsComplete(jer) || !jer.DeletionTimestamp.IsZero() {
		return nil
	}
	return []string{underWayKey(jer)}
}

func underWayKey(jer *joberrorv1.JobErrorResolution) string {
	return fmt.Sprintf("%s/%t", jer.Spec.JobID, jer.Spec.WantsResolved())
}

// choice is the resolution that a request about every error ends in.
type choice struct {
	// at is when the choice was made. It holds for each request that was received before.
	at time.Time
	// jer is the resolution; nil if no error has to be changed.
	jer *joberrorv1.JobErrorResolution
	// busy is set if the request has to wait until a resolution is complete.
	busy *joberrorv1.JobErrorResolution
}

// resolveAll resolves or reopens every error of a job. A request joins the resolution of an
// equal request that is under way, so that a client may send it again without making more
// work, unless that resolution leaves an error out.
func (e *resolveEndpoint) resolveAll(ctx context.Context, ref jobref.Ref, reason string) (*joberrorv1.JobErrorResolution, bool, error) {
	received := time.Now()
	jer := e.newResolution(nil, reason)
	if err := requestBy(ctx, jer); err != nil {
		return nil, false, err
	}
	waitCtx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	for {
		chosen, err := e.choose(ctx, ref, jer)
		switch {
		case err != nil:
			return nil, false, err
		case received.After(chosen.at) && (chosen.jer == nil || !e.includesAll(ref, chosen.jer)):
			// It was chosen for an earlier request.
		case chosen.busy != nil:
			complete, err := e.await(waitCtx, chosen.busy.DeepCopy())
			if err != nil {
				return nil, false, err
			}
			if !complete {
				return nil, false, apierrors.NewTooManyRequests(fmt.Sprintf(
					"%d resolutions of every error of job %s are under way; try again when one is complete", maxUnderWay, e.id), 5)
			}
		case chosen.jer == nil:
			setPreview(jer, nil)
			return jer, true, nil
		default:
			jer = chosen.jer.DeepCopy()
			complete, err := e.await(waitCtx, jer)
			return jer, complete, err
		}
	}
}

// previewAll returns the resolution that a dry run for every error of a job would create.
func (e *resolveEndpoint) previewAll(ctx context.Context, ref jobref.Ref, reason string) (*joberrorv1.JobErrorResolution, error) {
	jer := e.newResolution(nil, reason)
	if err := requestBy(ctx, jer); err != nil {
		return nil, err
	}
	tally := resolution.NewTally(jer, time.Now())
	for je, err := range e.others(ctx, ref) {
		if err != nil {
			return nil, err
		}
		tally.Add(resolution.Outcome{Name: je.Name, Result: resolution.Updated})
	}
	jer.Status = tally.Completed(time.Now())
	return jer, nil
}

// others yields the job's errors that are not in the requested state, from the API server.
func (e *resolveEndpoint) others(ctx context.Context, ref jobref.Ref) iter.Seq2[*joberrorv1.JobError, error] {
	otherState := !e.resolved
	return ref.All(ctx, e.apiReader, jobref.ListOptions{Resolved: &otherState})
}

// choose returns the choice for a request. Equal requests at the same time share it.
func (e *resolveEndpoint) choose(ctx context.Context, ref jobref.Ref, jer *joberrorv1.JobErrorResolution) (choice, error) {
	key := fmt.Sprintf("%s/%s/%q/%q", jer.Namespace, underWayKey(jer), jer.Spec.RequestedBy, jer.Spec.Reason)
	shared := e.choosing.DoChan(key, func() (any, error) {
		// A client that gives up must not end the others' requests.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), choiceTimeout)
		defer cancel()
		var chosen choice
		err := panics.Recover(ctx, func() (err error) {
			chosen, err = e.joinOrCreate(ctx, ref, jer)
			return err
		})
		return chosen, err
	})
	select {
	case result := <-shared:
		chosen, _ := result.Val.(choice)
		return chosen, result.Err
	case <-ctx.Done():
		return choice{}, apierrors.NewTimeoutError("the resolution was not created in time; send the request again", 1)
	}
}

// joinOrCreate returns an equal resolution that is under way and includes every error, or
// creates one. It reads the cache: a resolution that another replica has just created may be
// missing there.
func (e *resolveEndpoint) joinOrCreate(ctx context.Context, ref jobref.Ref, jer *joberrorv1.JobErrorResolution) (choice, error) {
	now := time.Now()
	var underWay joberrorv1.JobErrorResolutionList
	err := e.client.List(ctx, &underWay, client.InNamespace(e.namespace), client.MatchingFields{indexUnderWay: underWayKey(jer)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return choice{}, err
	}
	for i := range underWay.Items {
		if at := &underWay.Items[i]; isEqualRequest(at, jer) && e.includesAll(ref, at) {
			return choice{at: now, jer: at}, nil
		}
	}
	if len(underWay.Items) >= maxUnderWay {
		return choice{at: now, busy: &underWay.Items[0]}, nil
	}
	for _, err := range e.others(ctx, ref) {
		if err != nil {
			return choice{}, err
		}
		created := jer.DeepCopy()
		now = time.Now()
		if err := e.create(ctx, created); err != nil {
			return choice{}, err
		}
		e.resolutions.Seen(ctx, created)
		return choice{at: now, jer: created}, nil
	}
	return choice{at: now}, nil
}

// isEqualRequest reports whether two resolutions are the same request: of the same user, for
// the same reason. The record of a request says who made it, so it can't stand for another
// user's.
func isEqualRequest(a, b *joberrorv1.JobErrorResolution) bool {
	return a.Spec.RequestedBy == b.Spec.RequestedBy && a.Spec.Reason == b.Spec.Reason
}

// includesAll reports whether a resolution under way includes each error that is not in the
// requested state, as far as the cache shows: none got into that state after the request.
func (e *resolveEndpoint) includesAll(ref jobref.Ref, jer *joberrorv1.JobErrorResolution) bool {
	ids := []string{ref.ID}
	if ref.Job != nil {
		ids = append(ids, ref.Job.Name, string(ref.Job.UID))
	}
	snapshot := cmp.Or(jer.Status.SnapshotResourceVersion, jer.ResourceVersion)
	return !e.summaries.changedAfter(snapshot, e.namespace, ids, !e.resolved)
}
