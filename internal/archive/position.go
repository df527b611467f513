// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var (
	// ErrContinue means that a value of Continue does not come from a page of the query.
	ErrContinue = errors.New("continue is invalid: use the value of the last answer")
	// ErrNamespace means that the namespace was deleted and created again since the last page.
	ErrNamespace = errors.New("continue is for a namespace that was deleted and created again: start with the first page")
)

// position holds where a page begins. Its parts are compared with the query, or are checked, so
// that a forged one reads nothing else.
type position struct {
	// Query is the hash of what the query asks for, so that a position is not used for another
	// Job by mistake.
	Query        string    `json:"q"`
	NamespaceUID types.UID `json:"n"`
	// Since and Until are those of the first page. A client may ask for a duration, which means
	// another time in each request.
	Since time.Time `json:"s,omitzero"`
	Until time.Time `json:"u,omitzero"`
	Date  string    `json:"d"`
	// Object is empty at the start of the date.
	Object string `json:"o,omitempty"`
	// Rows is how many matching rows of the object to pass over.
	Rows int `json:"r,omitempty"`
}

// hash identifies the cluster, the name of the namespace, and the Job of a query.
func (q *Query) hash() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(q.ClusterUID), q.Namespace, q.Job}, "\n")))
	return hex.EncodeToString(sum[:8])
}

func (p position) encode() string {
	data, err := json.Marshal(p)
	if err != nil {
		panic("a position can't be encoded: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// start returns where the page of a query begins. It accepts only what encode returns for the
// same Job.
func (q *Query) start() (position, error) {
	if q.Continue == "" {
		return position{}, nil
	}
	var p position
	data, err := base64.RawURLEncoding.DecodeString(q.Continue)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil {
		_, err = time.Parse(time.DateOnly, p.Date)
	}
	switch {
	case err != nil, p.encode() != q.Continue, p.Query != q.hash(), p.Rows < 0 || p.Rows > maxRows,
		p.Object == "" && p.Rows > 0, p.Object != "" && !objectFile.MatchString(p.Object):
		return position{}, ErrContinue
	case p.NamespaceUID != q.NamespaceUID:
		return position{}, ErrNamespace
	}
	return p, nil
}
