// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// clientCA holds the CAs that sign the certificates of clients.
type clientCA struct {
	file *dynamiccertificates.DynamicFileCAContent
}

// newClientCA reads the CAs in a file. It returns an error if there are none.
func newClientCA(path string) (*clientCA, error) {
	file, err := dynamiccertificates.NewDynamicCAContentFromFile("webhook-clients", path)
	if err != nil {
		return nil, fmt.Errorf("read the CAs of webhook clients: %w", err)
	}
	return &clientCA{file: file}, nil
}

// watch reads the file again whenever it changes, until the context ends.
func (c *clientCA) watch(ctx context.Context) { c.file.Run(ctx, 1) }

// configureTLS makes a server require a certificate that one of the present CAs signed.
func (c *clientCA) configureTLS(config *tls.Config) {
	base := config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		options, ok := c.file.VerifyOptions()
		if !ok {
			return nil, errors.New("no CA for webhook clients")
		}
		forClient := base.Clone()
		forClient.ClientAuth, forClient.ClientCAs = tls.RequireAndVerifyClientCert, options.Roots
		return forClient, nil
	}
}
