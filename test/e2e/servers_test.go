// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// servers returns the servers of a replica, except its probes: their ports, and how many
// concurrent requests they accept on one connection. The API server sends all its requests
// over one connection.
func servers() map[string]struct {
	port    int
	streams uint32
} {
	at := cluster.Pods.Ready()[0]
	return map[string]struct {
		port    int
		streams uint32
	}{
		"the aggregated API": {at.APIPort, 100},
		"the webhooks":       {at.WebhookPort, 64},
		"the metrics":        {at.MetricsPort, 250},
	}
}

// dial connects to a server on loopback with a TLS configuration.
func dial(t *testing.T, port int, config *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*tls.Conn), nil
}

func TestServersRefuseOldTLS(t *testing.T) {
	t.Parallel()
	for name, server := range servers() {
		config := operatorTLS(t)
		if _, err := dial(t, server.port, config); err != nil {
			t.Errorf("connect to %s: %v", name, err)
		}
		config.MaxVersion = tls.VersionTLS12
		if _, err := dial(t, server.port, config); err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("connect to %s with TLS 1.2: error = %v, want a protocol version error", name, err)
		}
	}
}

// The limit stops a flood of requests that are canceled immediately.
func TestServersLimitConcurrentRequests(t *testing.T) {
	t.Parallel()
	for name, server := range servers() {
		config := operatorTLS(t)
		config.NextProtos = []string{"h2"}
		conn, err := dial(t, server.port, config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			t.Fatal(err)
		}
		framer := http2.NewFramer(conn, conn)
		if err := framer.WriteSettings(); err != nil {
			t.Fatal(err)
		}
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		settings, ok := frame.(*http2.SettingsFrame)
		if !ok {
			t.Fatalf("first frame of %s = %v, want SETTINGS", name, frame)
		}
		if n, _ := settings.Value(http2.SettingMaxConcurrentStreams); n != server.streams {
			t.Errorf("limit of concurrent requests of %s = %d, want %d", name, n, server.streams)
		}
	}
}

// readTimeout limits how long the test waits until a server closes the connection.
const readTimeout = time.Minute

// Without a body timeout, a body that never ends would keep its connection open forever.
func TestServersCutOffASlowSender(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a")
	bearer := createToken(t, ns, "slow")
	cluster.Grant(t, ns, "system:serviceaccount:"+ns+":slow", "joberror-resolver")
	at := cluster.Pods.Ready()[0]
	for name, request := range map[string]struct {
		port int
		head string
	}{
		"the aggregated API": {at.APIPort, "PUT " + path + "/resolve HTTP/1.1\r\nAuthorization: Bearer " + bearer + "\r\n"},
		"the webhooks":       {at.WebhookPort, "POST /mutate-joberror-io-v1-joberror HTTP/1.1\r\n"},
		"an unknown webhook": {at.WebhookPort, "POST /other HTTP/1.1\r\n"},
		"the metrics":        {at.MetricsPort, "POST /metrics HTTP/1.1\r\nAuthorization: Bearer " + bearer + "\r\n"},
		"an unknown path":    {at.MetricsPort, "POST /other HTTP/1.1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := dial(t, request.port, operatorTLS(t))
			if err != nil {
				t.Fatal(err)
			}
			head := request.head + "Host: joberror-operator\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
				t.Fatal(err)
			}
			response, err := io.ReadAll(conn)
			var netErr net.Error
			if errors.As(err, &netErr) && netErr.Timeout() {
				t.Fatalf("the connection is still open after %s, with the response %q", readTimeout, response)
			}
			if strings.HasPrefix(string(response), "HTTP/1.1 2") && !strings.Contains(string(response), `"allowed":false`) {
				t.Errorf("the server accepted half a body: %s", response)
			}
		})
	}
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.Resolved {
		t.Error("half a body resolved the error")
	}
}
