// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	certnames "joberror.io/operator/internal/certs/names"
)

// errNoCertificate says that PEM data has no certificate.
var errNoCertificate = errors.New("it has no certificate")

// renewal is how long before its end a certificate should have been renewed.
const renewal = 14 * 24 * time.Hour

// caller is an object whose caBundle the API server trusts.
type caller struct {
	what    string
	bundles [][]byte
	err     error
}

// callers returns the objects with a caBundle.
func (f *Facts) callers() []caller {
	all := []caller{
		{what: "APIService " + certnames.APIService, err: f.APIService.Err},
		{what: "MutatingWebhookConfiguration " + certnames.MutatingWebhook, err: f.Mutating.Err},
		{what: "ValidatingWebhookConfiguration " + certnames.ValidatingWebhook, err: f.Validating.Err},
	}
	if f.APIService.Err == nil {
		all[0].bundles = [][]byte{f.APIService.Value.Spec.CABundle}
	}
	if f.Mutating.Err == nil {
		for _, w := range f.Mutating.Value.Webhooks {
			all[1].bundles = append(all[1].bundles, w.ClientConfig.CABundle)
		}
	}
	if f.Validating.Err == nil {
		for _, w := range f.Validating.Value.Webhooks {
			all[2].bundles = append(all[2].bundles, w.ClientConfig.CABundle)
		}
	}
	return all
}

// caBundles decides whether the API server trusts a CA that has not expired, in each object that
// makes it call the operator.
func caBundles(f *Facts, now time.Time) (Status, string) {
	const advice = "the operator and cert-manager's injector fill it in; look at their logs"
	first := time.Time{}
	unknown := ""
	for _, c := range f.callers() {
		if c.err != nil {
			if status, message := unread(c.what, c.err, install); status == Failed {
				return status, message
			} else if unknown == "" {
				unknown = message
			}
			continue
		}
		for _, bundle := range c.bundles {
			if len(bytes.TrimSpace(bundle)) == 0 {
				return Failed, fmt.Sprintf("the caBundle of %s is empty: %s", c.what, advice)
			}
			end, err := lastEnd(bundle)
			if err != nil {
				return Failed, fmt.Sprintf("the caBundle of %s: %v: %s", c.what, err, advice)
			}
			if now.After(end) {
				return Failed, fmt.Sprintf("the caBundle of %s expired on %s: %s", c.what, day(end), advice)
			}
			if first.IsZero() || end.Before(first) {
				first = end
			}
		}
	}
	switch {
	case unknown != "":
		return Unknown, unknown
	case now.Add(renewal).After(first):
		return Warning, fmt.Sprintf("a caBundle expires on %s and was not renewed: %s", day(first), advice)
	}
	return OK, "every caBundle is valid until " + day(first)
}

// certificate decides whether the serving certificate is valid and the API server trusts it.
func certificate(f *Facts, now time.Time) (Status, string) {
	what := fmt.Sprintf("Secret %s in namespace %s", certnames.Secret, f.OperatorNamespace)
	if f.Secret.Err != nil {
		status, message := unread(what, f.Secret.Err, "the operator creates it; look at its log, or at cert-manager's")
		if status == Unknown {
			if bundles, found := caBundles(f, now); bundles == OK {
				return Unknown, message + "; " + found
			}
		}
		return status, message
	}
	leaf, err := parse(f.Secret.Value.Data[corev1.TLSCertKey])
	if err != nil {
		return Failed, fmt.Sprintf("the certificate in %s: %v: look at the operator's log", what, err)
	}
	const advice = "delete the Secret, and the operator or cert-manager creates another one"
	switch {
	case now.After(leaf.NotAfter):
		return Failed, fmt.Sprintf("the certificate in %s expired on %s: %s", what, day(leaf.NotAfter), advice)
	case now.Before(leaf.NotBefore):
		return Failed, fmt.Sprintf("the certificate in %s is valid only from %s: check the clocks", what, day(leaf.NotBefore))
	}
	if who, err := distrusted(f, leaf, now); err != nil {
		return Failed, fmt.Sprintf("%s does not trust the certificate in %s: %v", who, what, err)
	}
	if now.Add(renewal).After(leaf.NotAfter) {
		return Warning, fmt.Sprintf("the certificate in %s expires on %s and was not renewed: look at the operator's log", what, day(leaf.NotAfter))
	}
	return OK, "the serving certificate is valid until " + day(leaf.NotAfter)
}

// distrusted returns the first object whose caBundle does not verify the certificate, and why.
func distrusted(f *Facts, leaf *x509.Certificate, now time.Time) (string, error) {
	for _, c := range f.callers() {
		if c.err != nil {
			continue
		}
		for _, bundle := range c.bundles {
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(bundle)
			_, err := leaf.Verify(x509.VerifyOptions{
				Roots: roots, CurrentTime: now, DNSName: fmt.Sprintf("%s.%s.svc", certnames.Service, f.OperatorNamespace),
			})
			if err != nil {
				return c.what, err
			}
		}
	}
	return "", nil
}

// lastEnd returns when the last certificate of a bundle expires. While a CA is replaced, the
// bundle also has the former one.
func lastEnd(bundle []byte) (time.Time, error) {
	last := time.Time{}
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return last, fmt.Errorf("parse the certificate: %w", err)
		}
		if c.NotAfter.After(last) {
			last = c.NotAfter
		}
	}
	if last.IsZero() {
		return last, errNoCertificate
	}
	return last, nil
}

// parse returns the first certificate in PEM data.
func parse(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errNoCertificate
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse the certificate: %w", err)
	}
	return c, nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
