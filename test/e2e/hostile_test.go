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

// servers are what a replica serves to others than the kubelet, and how many
// requests it takes at a time on one connection. All of an API server's go over
// one.
func servers() map[string]struct {
	port    int
	streams uint32
} {
	at := cluster.Pods.Ready()[0]
	return map[string]struct {
		port    int
		streams uint32
	}{
		"the aggregated API": {at.APIPort, 1000},
		"the webhooks":       {at.WebhookPort, 250},
		"the metrics":        {at.MetricsPort, 250},
	}
}

// dial connects to a server as the configuration says.
func dial(t *testing.T, port int, config *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*tls.Conn), nil
}

func TestNoServerSpeaksOldTLS(t *testing.T) {
	t.Parallel()
	for name, server := range servers() {
		config := trusting(t)
		if _, err := dial(t, server.port, config); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		config.MaxVersion = tls.VersionTLS12
		if _, err := dial(t, server.port, config); err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("%s speaks TLS 1.2: %v", name, err)
		}
	}
}

// The limit is what a flood of requests that are cancelled at once runs into.
func TestNoServerTakesRequestsWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, server := range servers() {
		config := trusting(t)
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
			t.Fatalf("%s begins with %v", name, frame)
		}
		if n, _ := settings.Value(http2.SettingMaxConcurrentStreams); n != server.streams {
			t.Errorf("%s takes %d requests at a time, want %d", name, n, server.streams)
		}
	}
}

// patience is how long the test waits to be cut off.
const patience = time.Minute

// A body that never ends: without a limit, neither would the connection.
func TestACallerThatSendsSlowlyIsCutOff(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	bearer := token(t, ns, "slow")
	cluster.Grant(t, ns, "system:serviceaccount:"+ns+":slow", "joberror-resolver")
	at := cluster.Pods.Ready()[0]
	for name, request := range map[string]struct {
		port int
		head string
	}{
		"the aggregated API": {at.APIPort, "PUT " + path + "/resolve HTTP/1.1\r\nAuthorization: Bearer " + bearer + "\r\n"},
		"the webhooks":       {at.WebhookPort, "POST /mutate-joberror-io-v1-joberror HTTP/1.1\r\n"},
		"no webhook":         {at.WebhookPort, "POST /other HTTP/1.1\r\n"},
		"the metrics":        {at.MetricsPort, "POST /metrics HTTP/1.1\r\nAuthorization: Bearer " + bearer + "\r\n"},
		"no metrics":         {at.MetricsPort, "POST /other HTTP/1.1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := dial(t, request.port, trusting(t))
			if err != nil {
				t.Fatal(err)
			}
			head := request.head + "Host: joberror-operator\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				t.Fatalf("the connection is still there after %s; so far it brought %q", patience, answer)
			}
			if strings.HasPrefix(string(answer), "HTTP/1.1 2") && !strings.Contains(string(answer), `"allowed":false`) {
				t.Errorf("half a body was taken for a whole one: %s", answer)
			}
		})
	}
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.Resolved {
		t.Error("half a body resolved the error")
	}
}
