// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// refusedBy is the header of the console's own answers that are errors. The page tells them
// apart from those of the API server.
const refusedBy = "Joberrors-Console"

var refusedPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>JobErrors</title></head><body><main>
<h1>The console is not open here</h1>
<p>{{.Message}}</p>
<p>Run <code>kubectl joberrors ui</code> again and open the new link, which works once.</p>
{{if .Inside}}<p>If you have just opened the link from another page, <a href="./">continue here</a>.</p>{{end}}
</main></body></html>
`))

// refuse answers a person with a page and everybody else with a Status.
func refuse(w http.ResponseWriter, r *http.Request, refused *refusal) {
	w.Header().Set(refusedBy, "refused")
	if r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(refused.code)
		_ = refusedPage.Execute(w, struct {
			Message string
			Inside  bool
		}{refused.message, !isOutside(r)}) // the browser is gone if this fails
		return
	}
	writeStatus(w, refused.code, metav1.StatusReasonForbidden, refused.message)
}

// writeStatus answers with a Status, as the API server does.
func writeStatus(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // the browser is gone if this fails
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	})
}
