// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// part holds what the records of one object have in common.
type part struct {
	namespace    string
	namespaceUID types.UID
	// date is the day of createdAt in UTC, as YYYY-MM-DD.
	date string
}

// namespacePrefix returns the folder of all namespaces with a name. SQL engines read the parts of
// the path as columns.
func namespacePrefix(cluster types.UID, namespace string) string {
	return fmt.Sprintf("cluster=%s/namespace=%s/", cluster, namespace)
}

// datePrefix returns the folder of a day.
func datePrefix(cluster types.UID, namespace, date string) string {
	return namespacePrefix(cluster, namespace) + "date=" + date + "/"
}

// objectPrefix returns the start of the names of a namespace's objects of a day. Its UID sets it
// apart from a namespace with the same name that was created later.
func objectPrefix(cluster types.UID, p part) string {
	return datePrefix(cluster, p.namespace, p.date) + "part-" + string(p.namespaceUID) + "-"
}

// objectName returns the name of the object with these entries. The same versions of the same
// JobErrors have the same name, so a repeated write replaces the first one.
func objectName(cluster types.UID, p part, entries []Entry) string {
	versions := make([]string, len(entries))
	for i, e := range entries {
		versions[i] = strings.Join([]string{string(e.Error.UID), e.Error.Status.RetryID, e.Error.ResourceVersion}, " ")
	}
	slices.Sort(versions)
	sum := sha256.Sum256([]byte(strings.Join(versions, "\n")))
	return objectPrefix(cluster, p) + hex.EncodeToString(sum[:12]) + ".parquet"
}

var (
	dateFolder = regexp.MustCompile(`^date=(\d{4}-\d{2}-\d{2})/$`)
	objectFile = regexp.MustCompile(`^[0-9a-f]{24}\.parquet$`)
	// operatorFile matches the files of all namespaces with the same name, and those that a write
	// to a directory has not renamed yet.
	operatorFile = regexp.MustCompile(`^part-[^/]*-[0-9a-f]{24}\.parquet(\.[0-9a-f]+\.tmp)?$`)
)

// isForeign reports whether the operator did not write a file in the folder of a day. Consoles of
// stores create objects that stand for a folder; those are not foreign.
func isForeign(name string) bool {
	return name != "" && !strings.HasSuffix(name, "/") && !operatorFile.MatchString(name)
}

// dateIn returns the day of a folder in namespacePrefix, or false for a folder that is not a day's.
func dateIn(folder string) (string, bool) {
	match := dateFolder.FindStringSubmatch(folder)
	if match == nil {
		return "", false
	}
	_, err := time.Parse(time.DateOnly, match[1])
	return match[1], err == nil
}

// day returns the day of a time in UTC.
func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }
