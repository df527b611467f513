// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// MetricsWithoutTLS returns the flags that make an operator serve its metrics without TLS, and their
// address.
func (c *Cluster) MetricsWithoutTLS() (address string, flags []string) {
	address = fmt.Sprintf("127.0.0.1:%d", c.Ports.MetricsPort)
	return address, []string{"--metrics-insecure", "--metrics-bind-address=" + address}
}

// ReadMetrics returns the metrics that an operator serves at an address without TLS.
func ReadMetrics(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
