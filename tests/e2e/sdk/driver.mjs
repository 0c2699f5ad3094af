// StackOne's SDK, driven from outside: one JSON line in is one call, one JSON line out is what came of it.
import { createInterface } from "node:readline";

import { StackOne } from "@stackone/stackone-client-ts";
import * as errors from "@stackone/stackone-client-ts/sdk/models/errors/index.js";

const ENVELOPE = new Set(["contentType", "headers", "statusCode", "rawResponse"]);
const ERRORS = Object.entries(errors).filter(([, each]) => each?.prototype instanceof Error);

// {"$date": "..."} is a Date, which JSON has no word for.
const revive = (_, value) => (typeof value?.$date === "string" ? new Date(value.$date) : value);

function read(page) {
  const body = Object.keys(page).find((name) => !ENVELOPE.has(name));
  const headers = Object.fromEntries(page.rawResponse.headers);
  return { statusCode: page.statusCode, headers, kind: body, body: page[body] };
}

function fault(error) {
  return {
    kinds: ERRORS.filter(([, each]) => error instanceof each).map(([name]) => name),
    statusCode: error.statusCode ?? null,
    message: error.message,
    body: typeof error.body === "string" ? error.body : null,
    retryAfter: error.headers?.get?.("retry-after") ?? null,
  };
}

async function call({ client, area, method, request, options }) {
  const pages = [];
  try {
    const answer = await new StackOne(client)[area][method](request, options);
    if (Symbol.asyncIterator in answer) {
      for await (const page of answer) pages.push(read(page));
    } else {
      pages.push(read(answer));
    }
    return { pages, error: null };
  } catch (error) {
    return { pages, error: fault(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await call(JSON.parse(line, revive)))}\n`);
}
