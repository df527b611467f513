// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/failure"
)

const (
	// logTimeout limits the time that a node has to answer: the record matters more.
	logTimeout = 5 * time.Second
	// logTurn limits the time that a log waits for its turn to be read.
	logTurn = 5 * time.Second
	// maxLogReads limits the logs that are read at a time.
	maxLogReads = 16
	// maxLogs limits the logs that are read or wait for their turn, and the messages that
	// are held for records that are not created yet.
	maxLogs = 1000
	// maxLogMessage limits the end of a log that is kept, in bytes.
	maxLogMessage = 8 << 10
	// maxLogRead limits the bytes that are read to reach the end. A limit in the
	// request would keep the beginning of the last lines and drop their end.
	maxLogRead = 16 << 20
)

// containerLogs reads the ends of containers' logs. No reconcile waits for a node that does
// not answer: the record waits, and nothing else. A nil containerLogs reads nothing.
type containerLogs struct {
	pods  typedcorev1.PodsGetter
	lines int64
	// done gets the name of a Job after one of its logs was read or timed out.
	done  func(types.NamespacedName)
	turns *semaphore.Weighted

	mu sync.Mutex
	// reading holds the sightings whose logs are read or wait for their turn.
	reading map[sightingID]bool
	// messages holds what was read, by sighting.
	messages *lru.Cache
}

func newContainerLogs(pods typedcorev1.PodsGetter, lines int64, done func(types.NamespacedName)) *containerLogs {
	return &containerLogs{
		pods: pods, lines: lines, done: done,
		turns: semaphore.NewWeighted(maxLogReads), reading: map[sightingID]bool{}, messages: lru.New(maxLogs),
	}
}

// message returns the end of the log of the container that failed. It is empty if the log
// can't be read: the pod or its node may be gone, or too many logs are waiting. ready is
// false until the log was read or timed out; then done is called.
func (l *containerLogs) message(ctx context.Context, at place, f failure.Failure) (text string, ready bool) {
	if l == nil || f.Log == nil {
		return "", true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if text, read := l.messages.Get(at.id); read {
		return text.(string), true
	}
	if l.reading[at.id] {
		return "", false
	}
	if len(l.reading) >= maxLogs {
		log.FromContext(ctx).Info("The log of a container is not read: too many logs are waiting", "container", f.Source)
		return "", true
	}
	l.reading[at.id] = true
	go l.read(ctx, at, f)
	return "", false
}

// forget drops a message that is recorded.
func (l *containerLogs) forget(at place) {
	if l != nil {
		l.messages.Remove(at.id)
	}
}

func (l *containerLogs) read(ctx context.Context, at place, f failure.Failure) {
	text, err := l.readInTurn(ctx, at.job.Namespace, f.Log)
	if err != nil {
		log.FromContext(ctx).Info("The log of a container can't be read", "container", f.Source, "reason", err.Error())
	}
	l.mu.Lock()
	delete(l.reading, at.id)
	l.messages.Add(at.id, text)
	l.mu.Unlock()
	l.done(at.job)
}

func (l *containerLogs) readInTurn(ctx context.Context, namespace string, from *failure.Log) (string, error) {
	turn, cancel := context.WithTimeout(ctx, logTurn)
	defer cancel()
	if err := l.turns.Acquire(turn, 1); err != nil {
		return "", fmt.Errorf("wait for other logs: %w", err)
	}
	defer l.turns.Release(1)
	ctx, cancel = context.WithTimeout(ctx, logTimeout)
	defer cancel()
	stream, err := l.pods.Pods(namespace).GetLogs(from.Pod, &corev1.PodLogOptions{
		Container: from.Container, Previous: from.Previous, TailLines: &l.lines,
	}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var text tail
	if _, err := io.Copy(&text, io.LimitReader(stream, maxLogRead)); err != nil {
		return "", err
	}
	return failure.LastLines(strings.TrimSpace(string(text)), maxLogMessage), nil
}

// tail keeps the end of what is written to it: twice what a message holds, so that
// LastLines sees whether the text is longer than a message.
type tail []byte

func (t *tail) Write(text []byte) (int, error) {
	*t = append(*t, text...)
	*t = append((*t)[:0], (*t)[max(0, len(*t)-2*maxLogMessage):]...)
	return len(text), nil
}
