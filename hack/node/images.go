//go:build linux

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// SlowRepository starts the names of images whose pull never ends.
const SlowRepository = "slow/"

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// Images serves images as a registry does, so that manifests run with their own
// image names and pull policies.
type Images struct {
	dir string

	mu sync.Mutex
	// manifests maps repository:tag and repository@digest to image manifests.
	manifests map[string][]byte
}

func newImages(dir string) (*Images, error) {
	return &Images{dir: dir, manifests: map[string][]byte{}}, os.MkdirAll(dir, 0o755)
}

// Image is an image with one layer.
type Image struct {
	Files      []File
	Entrypoint []string
	// User is the user and group of its processes; root if empty.
	User string
}

// blob describes content by its digest.
type blob struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// Add makes an image available under a name. Names follow Docker Hub's rules:
// "busybox" is library/busybox:latest.
func (i *Images) Add(name string, image Image) error {
	layer, err := i.store(layerType, func(w io.Writer) error { return writeLayer(w, image.Files) })
	if err != nil {
		return fmt.Errorf("image %s: %w", name, err)
	}
	config, err := i.storeJSON(configType, map[string]any{
		"architecture": runtime.GOARCH,
		"os":           runtime.GOOS,
		"config": map[string]any{
			"Entrypoint": image.Entrypoint,
			"User":       image.User,
			"Env":        []string{"PATH=/usr/local/bin:/usr/bin:/bin"},
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layer.Digest}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": []*blob{layer},
	})
	if err != nil {
		return err
	}
	repository, tag, tagged := strings.Cut(name, ":")
	if !tagged {
		tag = "latest"
	}
	if !strings.Contains(repository, "/") {
		repository = "library/" + repository
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.manifests[repository+":"+tag] = manifest
	i.manifests[repository+"@"+digest(manifest)] = manifest
	return nil
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// store writes a blob to a file named after its digest.
func (i *Images) store(mediaType string, write func(io.Writer) error) (*blob, error) {
	file, err := os.CreateTemp(i.dir, "new-")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if err := write(io.MultiWriter(file, hash)); err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	b := &blob{MediaType: mediaType, Digest: fmt.Sprintf("sha256:%x", hash.Sum(nil)), Size: info.Size()}
	return b, os.Rename(file.Name(), filepath.Join(i.dir, b.Digest))
}

func (i *Images) storeJSON(mediaType string, content any) (*blob, error) {
	return i.store(mediaType, func(w io.Writer) error { return json.NewEncoder(w).Encode(content) })
}

// serve serves the images until the process ends.
func (i *Images) serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/", i.get)
	go func() { _ = http.Serve(listener, mux) }()
	return nil
}

// get serves a manifest or a blob.
func (i *Images) get(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if strings.HasPrefix(path, SlowRepository) {
		<-r.Context().Done()
		return
	}
	if _, hash, ok := strings.Cut(path, "/blobs/"); ok {
		http.ServeFile(w, r, filepath.Join(i.dir, filepath.Base(hash)))
		return
	}
	repository, reference, _ := strings.Cut(path, "/manifests/")
	separator := ":"
	if strings.HasPrefix(reference, "sha256:") {
		separator = "@"
	}
	i.mu.Lock()
	manifest, ok := i.manifests[repository+separator+reference]
	i.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", manifestType)
	w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
	w.Header().Set("Docker-Content-Digest", digest(manifest))
	if r.Method == http.MethodGet {
		_, _ = w.Write(manifest)
	}
}
