// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Loads what a page shows apart from the list.

import { Refresher } from "../lib/refresh.mjs";
import { useEffect, useRef, useState } from "../vendor/hooks.mjs";

/**
 * useLoad runs a function now, and again some time after a dependency has changed, and returns what
 * it loaded last. It waits until ready is true. The function must load the same object each time: App
 * creates a new page for another object.
 */
export function useLoad(load, deps, ready = true) {
	const [result, setResult] = useState({});
	const latest = useRef();
	latest.current = load;
	const refresher = useRef();
	useEffect(() => {
		refresher.current = new Refresher({
			load: (signal) => latest.current(signal),
			onData: (data) => setResult({ data }),
			onError: (error) => setResult((old) => ({ ...old, error })),
		});
		return () => refresher.current.stop();
	}, []);
	useEffect(() => {
		if (ready) refresher.current.refresh();
	}, [...deps, ready]);
	return result;
}

/** useTicks returns a number that grows every few seconds while it is wanted. */
export function useTicks(wanted, ms) {
	const [tick, setTick] = useState(0);
	useEffect(() => {
		if (!wanted) return undefined;
		const timer = setInterval(() => setTick((n) => n + 1), ms);
		return () => clearInterval(timer);
	}, [wanted, ms]);
	return tick;
}

/** loadHistory returns the retries of a namespace, and the resolutions of some Jobs in it. */
export async function loadHistory(actions, namespace, ids, signal) {
	const base = `apis/joberror.io/v1/namespaces/${encodeURIComponent(namespace)}`;
	const problems = [];
	const list = async (path, params) => {
		try {
			return (await actions.list(`${base}/${path}`, { params, most: 2000, signal })).items;
		} catch (err) {
			problems.push(err.message);
			return [];
		}
	};
	const [retries, ...resolutions] = await Promise.all([
		list("joberrorretries"),
		...ids.slice(0, 20).map((id) => list("joberrorresolutions", { fieldSelector: `spec._jobId=${id}` })),
	]);
	return { retries, resolutions: resolutions.flat(), problems };
}
