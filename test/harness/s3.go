// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"joberror.io/operator/hack/controlplane"
)

// The credentials of the S3 server, and the bucket that it has from the start.
const (
	S3AccessKey = "archive"
	S3SecretKey = "archive-secret"
	S3Bucket    = "errors"
)

// S3 is an S3 server that listens on loopback with TLS.
type S3 struct {
	*controlplane.Process
	// Endpoint is its address, such as https://127.0.0.1:7070.
	Endpoint string
	// CAFile is the path of the CA that signed its certificate.
	CAFile string
	// Folder holds the objects of S3Bucket, each in a file whose path is the object's name.
	Folder string

	start  func() (*controlplane.Process, error)
	client *http.Client
}

// StartS3 starts an S3 server, and stops it at the end of the test.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	s, err := RunS3(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			log, err := os.ReadFile(s.Log)
			t.Logf("the log of the S3 server (%v):\n%s", err, log)
		}
	})
	return s
}

// RunS3 starts an S3 server that hack/assets built, and waits until it is ready. Its files are in
// a directory.
func RunS3(dir string) (*S3, error) {
	buckets, metadata, users := filepath.Join(dir, "buckets"), filepath.Join(dir, "metadata"), filepath.Join(dir, "users")
	s := &S3{Folder: filepath.Join(buckets, S3Bucket), CAFile: filepath.Join(dir, "s3-ca.crt")}
	for _, folder := range []string{s.Folder, metadata, users} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	certificate, key, err := s.sign(dir)
	if err != nil {
		return nil, err
	}
	port, err := controlplane.FreePort(0)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s.Endpoint = "https://" + address
	program := filepath.Join(Root(), "bin", "assets", "versitygw")
	args := []string{"--port", address, "--cert", certificate, "--key", key, "--health", "/ready", "--quiet", "--iam-dir", users, "posix", "--sidecar", metadata, buckets}
	s.start = func() (*controlplane.Process, error) {
		return controlplane.StartProcess("s3", dir, program, args, "ROOT_ACCESS_KEY="+S3AccessKey, "ROOT_SECRET_KEY="+S3SecretKey)
	}
	return s, s.run()
}

// sign writes a certificate for loopback, its key and their CA to a directory.
func (s *S3) sign(dir string) (certificate, key string, err error) {
	authority, err := controlplane.NewAuthority(dir, "s3-ca")
	if err != nil {
		return "", "", err
	}
	certPEM, keyPEM, err := authority.Sign(pkix.Name{CommonName: "s3"}, "127.0.0.1", "localhost")
	if err != nil {
		return "", "", err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority.CA()) {
		return "", "", errors.New("the CA of the S3 server is not a certificate")
	}
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	certificate, key = filepath.Join(dir, "s3.crt"), filepath.Join(dir, "s3.key")
	return certificate, key, errors.Join(os.WriteFile(certificate, certPEM, 0o600), os.WriteFile(key, keyPEM, 0o600))
}

// Start starts the server again after Stop or Kill, with the same address and objects.
func (s *S3) Start(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// run starts the server and waits until it is ready. It kills a server that does not get ready.
func (s *S3) run() (err error) {
	if s.Process, err = s.start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(Timeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = s.ready(); err == nil {
			return nil
		}
		if ended := s.Err(); ended != nil {
			return ended
		}
	}
	s.Kill()
	return err
}

// ready returns why the server can't serve yet.
func (s *S3) ready() error {
	response, err := s.client.Get(s.Endpoint + "/ready")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the S3 server answers %s", response.Status)
	}
	return nil
}

// URL returns the URL of an archive in a bucket.
func (s *S3) URL(bucket string) string {
	query := url.Values{"region": {"us-east-1"}, "endpoint": {s.Endpoint}, "use_path_style": {"true"}}
	return "s3://" + bucket + "?" + query.Encode()
}

// Env returns the environment of a process that uses the server. Other means of the SDK to
// find credentials are turned off.
func (s *S3) Env() []string {
	return slices.Concat([]string{"AWS_ACCESS_KEY_ID=" + S3AccessKey, "AWS_SECRET_ACCESS_KEY=" + S3SecretKey, "AWS_CA_BUNDLE=" + s.CAFile}, S3NoEnv())
}

// S3NoEnv returns an environment without credentials of S3.
func S3NoEnv() []string {
	return []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
}
