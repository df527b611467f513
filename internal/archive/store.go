// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // s3:// and each store with its API: MinIO, Ceph, R2 and others
	"k8s.io/utils/clock"
)

// schemes holds the schemes of URLs and what each allows in the query. Every scheme also
// allows prefix, which must end with a slash.
//
// gs:// and azblob:// are not compiled in because of their weight, which docs/archive.md states.
var schemes = map[string][]string{
	fileblob.Scheme: {"create_dir"},
	"s3": {
		"region", "endpoint", "use_path_style", "disable_https", "profile", "ssetype", "kmskeyid",
		"role", "role_session_name", "role_external_id", "web_identity_token_file",
		"request_checksum_calculation", "response_checksum_validation",
	},
}

// Store writes and reads the files of a bucket. It is safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
	clock  clock.PassiveClock
	limits limits
}

// Open returns the store at a URL: s3://BUCKET?region=REGION or file:///DIRECTORY. It makes no
// request. Credentials come from where the SDK of the store finds them: the identity of the
// workload or the environment. The environment variable AWS_CA_BUNDLE names a file with
// the CA of an s3 endpoint.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("open the archive %s: %w", rawURL, err)
	}
	return &Store{bucket: bucket, clock: clock.RealClock{}, limits: defaultLimits}, nil
}

// Close closes the store.
func (s *Store) Close() error {
	if err := s.bucket.Close(); err != nil {
		return fmt.Errorf("close the archive: %w", err)
	}
	return nil
}

// Validate returns an error that says why a URL can't be one of an archive.
func Validate(rawURL string) error {
	_, err := parse(rawURL)
	return err
}

func parse(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The error of the parser repeats the URL, which may have a secret.
		return nil, errors.New("must be a URL such as s3://bucket?region=eu-central-1 or file:///directory")
	}
	allowed, known := schemes[u.Scheme]
	query := u.Query()
	switch {
	case !known:
		return nil, fmt.Errorf("must begin with s3:// or file://, not %q", u.Scheme+"://")
	case u.User != nil:
		return nil, errors.New("must have no user and password: put credentials into a Secret or use the identity of the workload")
	case u.Scheme == "s3" && (u.Host == "" || u.Path != "" && u.Path != "/"):
		return nil, errors.New("must name a bucket and no path: s3://BUCKET; use ?prefix=FOLDER/ for a folder")
	case u.Scheme == fileblob.Scheme && (u.Host != "" || !strings.HasPrefix(u.Path, "/") || u.Path == "/"):
		return nil, errors.New("must name a directory by its absolute path: file:///DIRECTORY")
	}
	for parameter := range query {
		if parameter != "prefix" && !slices.Contains(allowed, parameter) {
			return nil, fmt.Errorf("must not have the parameter %q: %s:// allows prefix, %s", parameter, u.Scheme, strings.Join(allowed, ", "))
		}
	}
	if prefix := query.Get("prefix"); query.Has("prefix") && (!strings.HasSuffix(prefix, "/") || strings.HasPrefix(prefix, "/")) {
		return nil, fmt.Errorf("prefix %q must end with a slash, and not begin with one", prefix)
	}
	if u.Scheme == fileblob.Scheme {
		// A file of attributes next to each object would be in the way of SQL engines. A file is
		// renamed only within its folder, since the directory for temporary files may be on another disk.
		query.Set("metadata", "skip")
		query.Set("no_tmp_dir", "true")
	}
	u.RawQuery = query.Encode()
	return u, nil
}
