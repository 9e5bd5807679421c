// Preload for the conformance suite: gives the one scenario that checks nothing without an `Mcp-Session-Id` one, in the
// answer to its `initialize`. The gateway never mints one (a MAY of the specification) and takes whatever is sent, so
// what the scenario is about, several streams at once, is then checked for good. Usage: node --import=…/session.mjs …
import { randomUUID } from 'node:crypto';

const plain = globalThis.fetch;
globalThis.fetch = async (target, options) => {
  const body = typeof options?.body === 'string' ? options.body : '';
  const response = await plain(target, options);
  // `server-sse-multiple-streams` and `server-sse-polling` (not scored) alone call themselves this.
  if (!body.includes('"method":"initialize"') || !body.includes('"conformance-test-client"')) return response;
  const headers = new Headers(response.headers);
  headers.set('mcp-session-id', randomUUID());
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
};
