// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"net"
	"strconv"
	"sync"
)

// PickPorts returns ports for an operator that are currently free.
func PickPorts() (OperatorPorts, error) {
	var ports [4]int
	for i := range ports {
		port, err := FreePort(0)
		if err != nil {
			return OperatorPorts{}, err
		}
		ports[i] = port
	}
	return OperatorPorts{APIPort: ports[0], WebhookPort: ports[1], HealthPort: ports[2], MetricsPort: ports[3]}, nil
}

// handedOut holds the ports that FreePort has chosen. The system may offer a port again
// before the program that it is meant for listens.
var handedOut sync.Map

// FreePort returns the port if it is free on loopback. For 0 it returns any free port that
// it has not returned before.
func FreePort(port int) (int, error) {
	for {
		free, err := listenOnce(port)
		if err != nil || port != 0 {
			return free, err
		}
		if _, again := handedOut.LoadOrStore(free, true); !again {
			return free, nil
		}
	}
}

func listenOnce(port int) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("port %d is taken: %w", port, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
