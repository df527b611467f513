// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// wholeTimeout limits how long it takes to read a resolution.
const wholeTimeout = 10 * time.Second

// whole returns a resolution from the cache with all names in its lists. The cache holds only
// the first names, which suffice for one error.
func (b *backend) whole(ctx context.Context, jer *joberrorv1.JobErrorResolution) (*joberrorv1.JobErrorResolution, error) {
	if s := jer.Status; !resolution.IsComplete(jer) || s.Updated+s.Unchanged+s.Failed <= 1 {
		return jer, nil
	}
	// The wait for the resolution may have used up its time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wholeTimeout)
	defer cancel()
	read := &joberrorv1.JobErrorResolution{}
	err := b.apiReader.Get(ctx, client.ObjectKeyFromObject(jer), read)
	switch {
	case apierrors.IsNotFound(err), err == nil && read.UID != jer.UID:
		// It was deleted after it was complete.
		return jer, nil
	case err != nil:
		return nil, fmt.Errorf("read JobErrorResolution %s: %w", jer.Name, err)
	}
	return read, nil
}
