// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Does the same as duckdb.mjs with ClickHouse. The statements share nothing.

import { text } from 'node:stream/consumers';
import { query } from 'chdb';

const answers = [];
for (const statement of JSON.parse(await text(process.stdin))) {
  try {
    const lines = query(statement.trim().replace(/;$/, ''), 'JSONEachRow').split('\n');
    answers.push({ rows: lines.filter(Boolean).map((line) => JSON.parse(line)) });
  } catch (error) {
    answers.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
