// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package names holds the names of the objects that the serving certificate depends on. It
// imports nothing, so that kubectl joberrors does not contain the code that renews the
// certificate.
package names

const (
	// Secret is the name of the Secret with the certificate.
	Secret = "joberror-operator-certs"
	// Service is the name of the Service that the certificate is for.
	Service = "joberror-operator"
	// MutatingWebhook is the name of the MutatingWebhookConfiguration under config.
	MutatingWebhook = "joberror-operator"
	// ValidatingWebhook is the name of the ValidatingWebhookConfiguration under config.
	ValidatingWebhook = "joberror-operator"
	// APIService is the name of the APIService under config.
	APIService = "v1.resolve.joberror.io"
)
