// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Reads a JSON list of SQL statements, runs them in one DuckDB, and writes for each of them its
// rows or its error.

import { text } from 'node:stream/consumers';
import { DuckDBInstance, DuckDBTimestampTZValue } from '@duckdb/node-api';

// The client prints times in the time zone of the process, whatever that of the session is.
DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0;

const connection = await (await DuckDBInstance.create(':memory:')).connect();
const answers = [];
for (const statement of JSON.parse(await text(process.stdin))) {
  try {
    const result = await connection.runAndReadAll(statement);
    answers.push({ rows: result.getRowObjectsJson() });
  } catch (error) {
    answers.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
