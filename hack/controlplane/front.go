// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// listen opens the ports of the Service in front of the pods.
func (p *Pods) listen(ctx context.Context) error {
	for _, port := range []struct {
		front int
		back  func(Operator) int
	}{
		{p.front.APIPort, func(at Operator) int { return at.APIPort }},
		{p.front.WebhookPort, func(at Operator) int { return at.WebhookPort }},
	} {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port.front))
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { _ = listener.Close() })
		p.running.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go p.forward(ctx, conn, port.back)
			}
		})
	}
	return nil
}

// forward leads a connection to the next pod that is ready, and drops it where
// there is none.
func (p *Pods) forward(ctx context.Context, conn net.Conn, port func(Operator) int) {
	defer conn.Close()
	at, ok := p.next()
	if !ok {
		return
	}
	back, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port(at)))
	if err != nil {
		return
	}
	defer back.Close()
	defer context.AfterFunc(ctx, func() { _ = back.Close() })()
	ended := make(chan struct{}, 2)
	for _, way := range []struct{ to, from net.Conn }{{back, conn}, {conn, back}} {
		go func() {
			// Whatever ends a connection on one side ends it on the other.
			_, _ = io.Copy(way.to, way.from)
			ended <- struct{}{}
		}()
	}
	<-ended
}

// next is where the pod serves whose turn it is.
func (p *Pods) next() (Operator, bool) {
	ready := p.Ready()
	if len(ready) == 0 {
		return Operator{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn++
	return ready[p.turn%len(ready)], true
}

// Ready are where the pods serve that the Service leads to, by their names.
func (p *Pods) Ready() []Operator {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ready []*pod
	for _, pod := range p.pods {
		if pod.ready && !pod.gone {
			ready = append(ready, pod)
		}
	}
	slices.SortFunc(ready, func(a, b *pod) int { return strings.Compare(a.name, b.name) })
	var at []Operator
	for _, pod := range ready {
		at = append(at, pod.at)
	}
	return at
}
