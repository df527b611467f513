// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	// archivedParam is the parameter that asks for archived records instead of live ones.
	archivedParam = "archived"
	// maxArchivePage limits the records in one answer of the archive.
	maxArchivePage = 500
)

// archiveParams lists the parameters of a request for archived records. The last two are common
// to all requests of Kubernetes' clients and have no effect.
var archiveParams = []string{archivedParam, "since", "until", "limit", "continue", "timeout", "pretty"}

// archiveRequest holds the parameters of a request for archived records.
type archiveRequest struct {
	// since and until limit the time of the errors. They are zero if there is no limit.
	since, until time.Time
	limit        int
	next         string
}

// wantsArchive reports whether a request asks for archived records.
func wantsArchive(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Query().Get(archivedParam) == "true"
}

// isArchived reports whether a request asks for archived records. It returns an error for an
// invalid value, and for parameters that only these requests have.
func isArchived(query url.Values) (bool, error) {
	switch value := query.Get(archivedParam); value {
	case "true":
		return true, nil
	case "", "false":
	default:
		return false, invalidRequest(field.NotSupported(field.NewPath(archivedParam), value, []string{"true", "false"}))
	}
	var problems field.ErrorList
	for _, name := range []string{"since", "until"} {
		if query.Has(name) {
			problems = append(problems, field.Forbidden(field.NewPath(name), "may be used only with archived=true"))
		}
	}
	if len(problems) > 0 {
		return false, invalidRequest(problems...)
	}
	return false, nil
}

// parseArchiveRequest reads the parameters of a request for archived records. A misspelled one is
// an error, because the request would read the whole archive.
func parseArchiveRequest(query url.Values, now time.Time) (archiveRequest, error) {
	parsed := archiveRequest{limit: maxArchivePage, next: query.Get("continue")}
	var problems field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch path := field.NewPath(name); {
		case !slices.Contains(archiveParams, name):
			problems = append(problems, field.Forbidden(path, "is not a parameter of archived=true, which has "+strings.Join(archiveParams[1:5], ", ")))
		case len(query[name]) > 1:
			problems = append(problems, field.Invalid(path, query[name], "may be used only once"))
		}
	}
	if value := query.Get("limit"); value != "" {
		limit, err := strconv.Atoi(value)
		if err != nil || limit < 1 || limit > maxArchivePage {
			problems = append(problems, field.Invalid(field.NewPath("limit"), value, "must be a number from 1 to "+strconv.Itoa(maxArchivePage)))
		}
		parsed.limit = limit
	}
	for name, at := range map[string]*time.Time{"since": &parsed.since, "until": &parsed.until} {
		value := query.Get(name)
		if value == "" {
			continue
		}
		var err error
		if *at, err = parseMoment(value, now); err != nil {
			problems = append(problems, field.Invalid(field.NewPath(name), value, "must be a time in RFC 3339, or how long ago, such as 24h, 7d or 2w"))
		}
	}
	if len(problems) == 0 && !parsed.since.IsZero() && !parsed.until.IsZero() && !parsed.since.Before(parsed.until) {
		problems = append(problems, field.Invalid(field.NewPath("since"), query.Get("since"), "must be before until"))
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b *field.Error) int { return strings.Compare(a.Field, b.Field) })
		return archiveRequest{}, invalidRequest(problems...)
	}
	return parsed, nil
}

// parseMoment returns a time that is given in RFC 3339, or as how long it was before now. It
// refuses the years that JSON can't hold: those outside 0 to 9999 in UTC.
func parseMoment(value string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		if at = at.UTC(); at.Year() < 0 || at.Year() > 9999 {
			return time.Time{}, fmt.Errorf("%q is not between the years 0 and 9999 in UTC", value)
		}
		return at, nil
	}
	ago, err := model.ParseDuration(value)
	if err != nil {
		return time.Time{}, fmt.Errorf("parse %q as a time or a duration: %w", value, err)
	}
	return now.Add(-time.Duration(ago)).UTC(), nil
}
