// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

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
	// logTimeout limits the time that a node has to answer: the record matters more.
	logTimeout = 5 * time.Second
	// maxLogMessage limits the end of a log that is kept, in bytes.
	maxLogMessage = 8 << 10
	// maxLogRead limits the bytes that are read to reach the end. A limit in the
	// request would keep the beginning of the last lines and drop their end.
	maxLogRead = 16 << 20
)

// containerLogs reads the ends of containers' logs. A nil containerLogs reads nothing.
type containerLogs struct {
	pods  typedcorev1.PodsGetter
	lines int64
}

// message returns the end of the log of the container that failed; empty if there is
// none to be had: the pod or its node may be gone.
func (l *containerLogs) message(ctx context.Context, namespace string, f failure.Failure) string {
	if l == nil || f.Log == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	stream, err := l.pods.Pods(namespace).GetLogs(f.Log.Pod, &corev1.PodLogOptions{
		Container: f.Log.Container, Previous: f.Log.Previous, TailLines: &l.lines,
	}).Stream(ctx)
	var text tail
	if err == nil {
		defer stream.Close()
		_, err = io.Copy(&text, io.LimitReader(stream, maxLogRead))
	}
	if err != nil {
		log.FromContext(ctx).Info("The log of a container can't be read", "container", f.Source, "reason", err.Error())
		return ""
	}
	return failure.LastLines(strings.TrimSpace(string(text)), maxLogMessage)
}

// tail keeps the end of what is written to it: twice what a message holds, so that
// LastLines sees whether the text is longer than a message.
type tail []byte

func (t *tail) Write(text []byte) (int, error) {
	*t = append(*t, text...)
	*t = append((*t)[:0], (*t)[max(0, len(*t)-2*maxLogMessage):]...)
	return len(text), nil
}
