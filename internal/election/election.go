// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package election decides which replica leads when the leader dies. A replica that
// was running then has seen what failed since; one that has just started has not, and
// must not lead before it.
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
	"k8s.io/utils/clock"
)

const (
	// headStart is how much longer than others a new replica takes a lease for valid. It
	// covers the pause between two tries of another replica, which is 4.4 seconds at
	// most, and a little more.
	headStart = 6 * time.Second
	// newFor is how long a replica is new: until a lease that was held when it started
	// has run out for all others.
	newFor = 30 * time.Second
	// requestTimeout bounds a request for the lease, so that one that hangs does not cost
	// the lead; half of what the leader has for renewing it.
	requestTimeout = 5 * time.Second
)

// NewLock returns the lock that the replicas contend for: the Lease of that name.
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
	return &patient{Interface: lock, clock: clock.RealClock{}, newUntil: time.Now().Add(newFor)}, nil
}

// patient is a lock that a new replica sees as held for longer than it is.
type patient struct {
	resourcelock.Interface
	clock    clock.PassiveClock
	newUntil time.Time
}

// Get returns the lease, with a longer duration while this replica is new. A lease that
// its holder has released is free at once.
func (p *patient) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	lease, raw, err := p.Interface.Get(ctx)
	if err != nil || lease.HolderIdentity == "" || lease.HolderIdentity == p.Identity() || !p.clock.Now().Before(p.newUntil) {
		return lease, raw, err
	}
	longer := *lease
	longer.LeaseDurationSeconds += int(headStart / time.Second)
	return &longer, raw, nil
}
