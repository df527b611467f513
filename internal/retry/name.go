// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// MaxAttempts is the highest number of an attempt that a name has room for.
const MaxAttempts = 9999

const (
	// mark stands between the base of a name and the number of the attempt.
	mark = "-r"
	// attemptDigits is the room for the number of the attempt. The name of a lineage must
	// not change when the number grows.
	attemptDigits = 4
)

// Name returns the name of an attempt in a lineage.
func (l Lineage) Name(attempt int32) string { return l.Base + mark + strconv.Itoa(int(attempt)) }

// baseName returns the beginning of the names of a Job's retries. The name of a Job is a label
// of its pods, so it has at most 63 characters; that of an Indexed Job leaves room for the
// index, because the pod's host name ends with it. A longer name is cut, and gets a hash
// of the Job's UID, because two Jobs may have the same beginning.
func baseName(name string, uid types.UID, indexes int32) string {
	room := validation.DNS1123LabelMaxLength - len(mark) - attemptDigits
	if indexes > 0 {
		room -= len(fmt.Sprintf("-%d", indexes-1))
	}
	if len(name) <= room {
		return name
	}
	hash := fnv.New32a()
	hash.Write([]byte(uid))
	suffix := fmt.Sprintf("-%08x", hash.Sum32())
	return strings.TrimRight(name[:room-len(suffix)], "-.") + suffix
}

// splitName returns the base of the name of a retry, and the number of the attempt. Without a
// number, the whole name is the base.
func splitName(name string) (base string, attempt int32) {
	i := strings.LastIndex(name, mark)
	if i < 0 {
		return name, 0
	}
	n, err := strconv.ParseInt(name[i+len(mark):], 10, 32)
	if err != nil || n < 1 {
		return name, 0
	}
	return name[:i], int32(n)
}
