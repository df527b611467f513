// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// maxJobInName limits the part of a JobError's name that comes from the Job's name, so
// that the whole has at most 63 characters, which is easy to read and to type.
const maxJobInName = 52

// encoding turns a hash into text that a name may contain.
var encoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return encoding.EncodeToString(sum[:])[:digestLength]
}

// ErrorName returns the name of a Job's JobError with this key. It is the same however
// often the failure happens and the operator starts.
func ErrorName(job string, uid types.UID, key string) string {
	if len(job) > maxJobInName {
		job = job[:maxJobInName]
	}
	return strings.TrimRight(job, "-.") + "-" + digest(string(uid), key)
}

// numbered matches the end of a name that NumberedName returns. The name that ErrorName
// returns has no dot after its last hyphen.
var numbered = regexp.MustCompile(`\.[1-9]\d*$`)

// NumberedName returns the nth name of a JobError. The first is the name itself; the others
// are for a record whose earlier names are taken.
func NumberedName(name string, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s.%d", name, n)
}

// FirstName returns the first of the names of a captured JobError.
func FirstName(name string) string { return numbered.ReplaceAllString(name, "") }

// digestLength is the length of the text that digest returns.
const digestLength = 10

// ErrorID identifies a captured error in the cluster. All of its names have the same.
type ErrorID [digestLength]byte

// IDOf returns the id of the captured error with this name.
func IDOf(name string) ErrorID {
	first := FirstName(name)
	var id ErrorID
	copy(id[:], first[max(0, len(first)-digestLength):])
	return id
}
