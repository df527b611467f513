// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What the console reads of a JobError.

import { parseTime } from "./time.mjs";

const GROUP = "joberror.io/";

/** CLASSES holds the classes of errors, in the order in which they are stacked in the chart. */
export const CLASSES = [
	"application", "data", "configuration", "image", "resources",
	"infrastructure", "deadline", "policy", "schedule", "other",
];

/** NAMESPACE_JOB is the _jobId of the record that counts what a namespace's limit deleted. */
const NAMESPACE_JOB = "namespace.joberror.io";

/** toRecord returns the flat form of a JobError in which the console keeps it. */
export function toRecord(object) {
	const { metadata = {}, spec = {}, status = {} } = object;
	const labels = metadata.labels ?? {};
	const created = parseTime(spec.createdAt) || parseTime(metadata.creationTimestamp);
	const message = spec.message ?? "";
	const kind = labels[GROUP + "class"];
	return {
		key: `${metadata.namespace}/${metadata.name}`,
		namespace: metadata.namespace,
		name: metadata.name,
		jobId: spec._jobId ?? "",
		jobName: status.job?.name ?? labels[GROUP + "job-name"] ?? spec._jobId ?? "",
		linkedUID: status.job?.uid ?? "",
		jobUID: status.job?.uid ?? labels[GROUP + "job-uid"] ?? "",
		cronJob: labels[GROUP + "cronjob-name"] ?? "",
		lineage: labels[GROUP + "lineage"] ?? "",
		captured: GROUP + "captured" in labels,
		class: CLASSES.includes(kind) ? kind : "other",
		code: spec.code || "(no code)",
		message,
		line: firstLine(message),
		source: spec.source ?? "",
		resolved: spec.resolved === true,
		resolvedBy: status.resolvedBy ?? "",
		resolvedAt: parseTime(status.resolvedAt),
		resolution: status.resolution ?? "",
		created,
		first: parseTime(status.firstSeen) || created,
		last: parseTime(status.lastSeen) || created,
		count: status.occurrences || 1,
		expires: parseTime(status.expiresAt),
		fields: {
			extract: spec.extract, extracted: spec.extracted, generate: spec.generate, generated: spec.generated,
			user: spec._userId,
		},
		conditions: status.conditions ?? [],
	};
}

function firstLine(text) {
	const end = text.indexOf("\n");
	const line = end < 0 ? text : text.slice(0, end);
	return line.length > 300 ? line.slice(0, 299) + "…" : line;
}

/** jobOf returns what the API's paths call the job of an error: the UID once the error is linked. */
export function jobOf(record) {
	return record.linkedUID || record.jobId;
}

/** isOfNamespace reports whether a record counts what a namespace's limit deleted. */
export function isOfNamespace(record) {
	return record.jobId === NAMESPACE_JOB;
}

/** podOf returns the pod and the container that an error names, or undefined. */
export function podOf(record) {
	if (!record.captured || !record.source || record.source === record.jobName || record.source === "cronjob") return undefined;
	const [pod, container = ""] = record.source.split("/");
	return { pod, container };
}

/** ownerOf returns the workload that a Job's metadata names, or undefined. */
export function ownerOf(metadata) {
	const controller = (metadata.ownerReferences ?? []).find((o) => o.controller);
	if (controller) return { kind: controller.kind, name: controller.name };
	const release = metadata.annotations?.["meta.helm.sh/release-name"];
	if (release) return { kind: "Helm release", name: release };
	return undefined;
}
