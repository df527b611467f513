// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// expiryErrors is the number of errors that expire, with and without an archive.
	expiryErrors = 2000
	// expiryTurns is how often each is measured, in turns, because the speed of the machine varies.
	expiryTurns = 3
)

// archivedExpiry holds how long it took until expired errors were deleted.
type archivedExpiry struct{ alone, archived []time.Duration }

// expireArchived compares deleting expired errors with archiving and deleting them.
func (b *bench) expireArchived(ctx context.Context, r *results) (err error) {
	dir, err := os.MkdirTemp("", "joberror-archive-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for turn := range expiryTurns {
		logf("expiry with and without an archive: turn %d of %d", turn+1, expiryTurns)
		alone, err := b.timeExpiry(ctx)
		if err != nil {
			return err
		}
		archived, err := b.timeExpiry(ctx, "--archive-url=file://"+dir, "--archive-interval=1s")
		if err != nil {
			return err
		}
		logf("%.1f s without, %.1f s with", alone.Seconds(), archived.Seconds())
		r.archivedExpiry.alone, r.archivedExpiry.archived = append(r.archivedExpiry.alone, alone), append(r.archivedExpiry.archived, archived)
	}
	return nil
}

// timeExpiry returns how long an operator with these flags needs from its start until all expired
// errors are deleted. The errors are 10 days old and already have a status. They
// expire because this operator has a shorter retention.
func (b *bench) timeExpiry(ctx context.Context, flags ...string) (time.Duration, error) {
	const day = 24 * time.Hour
	ns, _, err := b.namespace(ctx, "archived", "old")
	if err == nil {
		err = errors.Join(b.stopOperator(), b.ensureOperator(ctx))
	}
	if err == nil {
		err = b.reportAndWait(ctx, ns.Name, "old", expiryErrors, expiringAt(time.Now().Add(20*day)))
	}
	if err = errors.Join(err, b.stopOperator()); err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := b.launch(ctx, append(flags, "--retention=7d")...); err != nil {
		return 0, err
	}
	ended, err := b.waitIdle(ctx, b.noneLeft(ns.Name, "old"))
	return ended.Sub(began), err
}

func (e *archivedExpiry) write(line func(string, ...any)) {
	if len(e.alone) == 0 {
		return
	}
	alone, archived := middle(e.alone), middle(e.archived)
	line("\n%d expired errors of one namespace, from the start of the operator until all are deleted, which includes about 2 s of startup, and with an archive the `--archive-interval` of 1 s; the median of %d turns:\n", expiryErrors, expiryTurns)
	line("| delete | archive in a directory, and delete | ratio | all turns |")
	line("|--:|--:|--:|---|")
	line("| %.1f s | %.1f s | **%.2f** | %s; %s |", alone.Seconds(), archived.Seconds(), archived.Seconds()/alone.Seconds(), seconds(e.alone), seconds(e.archived))
}

func middle(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

// seconds returns times as text.
func seconds(times []time.Duration) string {
	var list []string
	for _, t := range times {
		list = append(list, fmt.Sprintf("%.1f", t.Seconds()))
	}
	return strings.Join(list, ", ") + " s"
}
