// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/bounded"
)

// Limits of a record, in bytes; the schema's are in characters.
const (
	maxCode    = 256
	maxSource  = 512
	maxMessage = 32 << 10
	// maxJobInName leaves room for the rest of a name of 63 characters, which
	// stays easy to read and to type.
	maxJobInName = 52
	// maxSeen is how many occurrences are remembered; the schema's.
	maxSeen = 100
)

// encoding makes of a hash what a name can hold.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return encoding.EncodeToString(sum[:])[:10]
}

// Name is that of the JobError of a failure: the same one however often the Job
// fails so, and however often the operator starts.
func (f Failure) Name(job string, uid types.UID) string {
	if len(job) > maxJobInName {
		job = job[:maxJobInName]
	}
	return strings.TrimRight(job, "-.") + "-" + digest(string(uid), f.Key)
}

// Spec is what the JobError says.
func (f Failure) Spec(job, user string) joberrorv1.JobErrorSpec {
	return joberrorv1.JobErrorSpec{
		JobID:     job,
		UserID:    text(user, maxSource),
		CreatedAt: f.At.UTC().Format(time.RFC3339),
		Code:      text(f.Code, maxCode),
		Source:    text(f.Source, maxSource),
		Message:   text(f.Message, maxMessage),
	}
}

// text is what a field can hold: valid UTF-8, and not too much of it.
func text(value string, limit int) string {
	return bounded.String(strings.ToValidUTF8(value, "�"), limit)
}

// mark tells an occurrence from others, and sorts by the time of it.
func (f Failure) mark() string { return fmt.Sprintf("%010d.%s", f.At.Unix(), digest(f.Occurrence)) }

// Count adds an occurrence to what was counted, which may be nothing yet. It
// returns nil where this one was counted already. Of those that are not
// remembered any more all that is known is that they were earlier: what is seen
// late then is taken for one of them.
func (f Failure) Count(before *joberrorv1.Captured) *joberrorv1.Captured {
	mark, at := f.mark(), metav1.NewTime(f.At.Truncate(time.Second))
	if before == nil {
		return &joberrorv1.Captured{Occurrences: 1, FirstSeen: at, LastSeen: at, Seen: []string{mark}}
	}
	place, known := slices.BinarySearch(before.Seen, mark)
	if full := len(before.Seen) >= maxSeen; known || full && earlier(mark, before.Seen[0]) {
		return nil
	}
	after := before.DeepCopy()
	after.Occurrences++
	if at.Before(&after.FirstSeen) {
		after.FirstSeen = at
	}
	if after.LastSeen.Before(&at) {
		after.LastSeen = at
	}
	after.Seen = slices.Insert(after.Seen, place, mark)
	after.Seen = after.Seen[max(0, len(after.Seen)-maxSeen):]
	return after
}

// earlier compares the times of two marks, which are whole seconds.
func earlier(a, b string) bool {
	a, _, _ = strings.Cut(a, ".")
	b, _, _ = strings.Cut(b, ".")
	return a < b
}
