// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/failure"
)

const (
	// logPatience is how long a node may take to answer: the record matters more.
	logPatience = 5 * time.Second
	// keptLogBytes is how much of the end of a log is kept.
	keptLogBytes = 8 << 10
	// logBytes is how much is read to come to it. A limit in the request would
	// bound the last lines at their beginning, and leave the end out.
	logBytes = 16 << 20
)

// logs reads the ends of containers' logs; nil where that is off.
type logs struct {
	pods  typedcorev1.PodsGetter
	lines int64
}

// message is the end of the log of the container that a failure is about; empty
// where it can't be had: the pod may be gone, or its node.
func (l *logs) message(ctx context.Context, namespace string, f failure.Failure) string {
	if l == nil || f.Log == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	stream, err := l.pods.Pods(namespace).GetLogs(f.Log.Pod, &corev1.PodLogOptions{
		Container: f.Log.Container, Previous: f.Log.Previous, TailLines: &l.lines,
	}).Stream(ctx)
	var text tail
	if err == nil {
		defer stream.Close()
		_, err = io.Copy(&text, io.LimitReader(stream, logBytes))
	}
	if err != nil {
		log.FromContext(ctx).Info("A container's log can't be had", "container", f.Source, "reason", err.Error())
		return ""
	}
	return failure.LastLines(strings.TrimSpace(string(text)), keptLogBytes)
}

// tail keeps the end of what is written to it, of which more than is kept in the
// end: what is cut off is to be seen.
type tail []byte

func (t *tail) Write(text []byte) (int, error) {
	*t = append(*t, text...)
	*t = append((*t)[:0], (*t)[max(0, len(*t)-2*keptLogBytes):]...)
	return len(text), nil
}
