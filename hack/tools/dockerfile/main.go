// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command dockerfile checks a Dockerfile with BuildKit's rules, as "docker build
// --check" does, but without a daemon and without pulling the base image.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	if err := lint(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func lint(ctx context.Context, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	source := llb.NewSourceMap(nil, path, "Dockerfile", data)
	source.Definition = &llb.Definition{}
	options := dockerfile2llb.ConvertOpt{MetaResolver: anyImage{}, SourceMap: source}
	results, err := dockerfile2llb.DockerfileLint(ctx, data, options)
	if err != nil {
		return err
	}
	if err := results.PrintTo(os.Stderr, nil); err != nil {
		return err
	}
	if results.Error != nil {
		return fmt.Errorf("%s: %s", path, results.Error.Message)
	}
	if len(results.Warnings) > 0 {
		return fmt.Errorf("%s: %d warnings", path, len(results.Warnings))
	}
	return nil
}

// anyImage returns an empty configuration for every base image.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, ref string, options sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	image := ocispecs.Image{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}}
	if options.ImageOpt != nil && options.ImageOpt.Platform != nil {
		image.Platform = *options.ImageOpt.Platform
	}
	config, err := json.Marshal(image)
	return ref, digest.FromBytes(config), config, err
}
