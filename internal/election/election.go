// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package election decides which replica leads after the leader dies. A replica that was
// already running has seen the failures since then. A replica that has just started has
// not, and must not become the leader first.
package election

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

const (
	// headStart is how much longer a new replica than any other considers a lease valid.
	// It exceeds the pause between two attempts of another replica, at most 4.4 seconds, and
	// a request of that replica that hangs.
	headStart = 12 * time.Second
	// requestTimeout limits a request for the lease, so that the leader survives one
	// request that hangs. It is half of the time that the leader has to renew the lease.
	requestTimeout = 5 * time.Second
)

// NewLock returns the lock that the replicas contend for: the Lease with this name.
func NewLock(config *rest.Config, scheme *runtime.Scheme, namespace, name string) (resourcelock.Interface, error) {
	config = rest.AddUserAgent(rest.CopyConfig(config), "leader-election")
	config.Timeout = requestTimeout
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	events := record.NewBroadcaster()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	identity := host + "_" + string(uuid.NewUUID())
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, name, client.CoreV1(), client.CoordinationV1(), resourcelock.ResourceLockConfig{
		Identity: identity, EventRecorder: events.NewRecorder(scheme, corev1.EventSource{Component: identity}),
	})
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	return &headStartLock{Interface: lock}, nil
}

// headStartLock is a lock that a new replica sees as held for longer than it is. A replica is
// new until it sees the lease change: then a leader was alive while it was running.
type headStartLock struct {
	resourcelock.Interface
	first       *resourcelock.LeaderElectionRecord
	established bool
}

// Get returns the lease, with a longer duration while this replica is new. A lease that
// its holder has released is free immediately.
func (l *headStartLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	lease, raw, err := l.Interface.Get(ctx)
	if err != nil {
		return lease, raw, err
	}
	if l.first == nil {
		l.first = lease
	}
	l.established = l.established || lease.HolderIdentity != l.first.HolderIdentity || !lease.RenewTime.Equal(&l.first.RenewTime)
	if l.established || lease.HolderIdentity == "" || lease.HolderIdentity == l.Identity() {
		return lease, raw, nil
	}
	extended := *lease
	extended.LeaseDurationSeconds += int(headStart / time.Second)
	return &extended, raw, nil
}
