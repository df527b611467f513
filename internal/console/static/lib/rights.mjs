// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// What the user may do, so that a button that would be refused says so first.

import { json } from "./api.mjs";

/** RIGHTS holds what each action takes. All of it must be allowed. */
const RIGHTS = {
	resolve: [{ group: "resolve.joberror.io", resource: "jobs", subresource: "joberrors", verb: "update" }],
	retry: [
		{ group: "resolve.joberror.io", resource: "jobs", subresource: "retry", verb: "create" },
		{ group: "batch", resource: "jobs", verb: "create" },
	],
};

/** Rights asks the API server, once for each action and namespace. */
export class Rights {
	constructor(fetch, onChange) {
		Object.assign(this, { fetch, onChange, known: new Map() });
	}

	/** may reports whether the user may do something in a namespace: true, false, or undefined while it is not known. */
	may(action, namespace) {
		const key = `${action}/${namespace}`;
		if (!this.known.has(key)) {
			this.known.set(key, undefined);
			this.ask(action, namespace).then((allowed) => {
				this.known.set(key, allowed);
				this.onChange();
			});
		}
		return this.known.get(key);
	}

	async ask(action, namespace) {
		try {
			const answers = await Promise.all(RIGHTS[action].map((attributes) => json(this.fetch, "apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
				method: "POST",
				body: {
					apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview",
					spec: { resourceAttributes: { namespace, ...attributes } },
				},
			})));
			return answers.every((a) => a.status?.allowed === true);
		} catch {
			return true; // the request itself will say what is wrong
		}
	}
}
