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

// listen opens the Service's ports.
func (p *Pods) listen(ctx context.Context) error {
	for _, port := range []struct {
		listen int
		target func(OperatorPorts) int
	}{
		{p.service.APIPort, func(ports OperatorPorts) int { return ports.APIPort }},
		{p.service.WebhookPort, func(ports OperatorPorts) int { return ports.WebhookPort }},
	} {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port.listen))
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
				go p.forward(ctx, conn, port.target)
			}
		})
	}
	return nil
}

// forward connects a client to the next ready pod. If no pod is ready, it closes
// the connection.
func (p *Pods) forward(ctx context.Context, conn net.Conn, port func(OperatorPorts) int) {
	defer conn.Close()
	ports, ok := p.nextReady()
	if !ok {
		return
	}
	backend, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port(ports)))
	if err != nil {
		return
	}
	defer backend.Close()
	defer context.AfterFunc(ctx, func() { _ = backend.Close() })()
	ended := make(chan struct{}, 2)
	for _, pipe := range []struct{ to, from net.Conn }{{backend, conn}, {conn, backend}} {
		go func() {
			// An end on one side closes both sides.
			_, _ = io.Copy(pipe.to, pipe.from)
			ended <- struct{}{}
		}()
	}
	<-ended
}

// nextReady returns the ports of the next ready pod, round-robin.
func (p *Pods) nextReady() (OperatorPorts, bool) {
	ready := p.Ready()
	if len(ready) == 0 {
		return OperatorPorts{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn++
	return ready[p.turn%len(ready)], true
}

// Ready returns the ports of the Service's ready pods, sorted by pod name.
func (p *Pods) Ready() []OperatorPorts {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ready []*pod
	for _, candidate := range p.pods {
		if candidate.ready && !candidate.unrouted {
			ready = append(ready, candidate)
		}
	}
	slices.SortFunc(ready, func(a, b *pod) int { return strings.Compare(a.name, b.name) })
	var ports []OperatorPorts
	for _, target := range ready {
		ports = append(ports, target.ports)
	}
	return ports
}
