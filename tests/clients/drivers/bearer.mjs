// Preload for the conformance suite, which cannot sign in: adds `Authorization: Bearer $BEARER` to every request to
// $BEARER_HOST that has no such header, whether it is sent by fetch(), by undici or by node:http.
//
// Usage: node --import=…/bearer.mjs …
import http from 'node:http';
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';

const { BEARER, BEARER_HOST } = process.env;
if (!BEARER || !BEARER_HOST) throw new Error('bearer.mjs needs BEARER and BEARER_HOST');
const authorization = `Bearer ${BEARER}`;

const plain = globalThis.fetch;
globalThis.fetch = (target, options) => {
  const request = new Request(target, options);
  if (new URL(request.url).host === BEARER_HOST && !request.headers.has('authorization')) {
    request.headers.set('authorization', authorization);
  }
  return plain(request);
};

setGlobalDispatcher(getGlobalDispatcher().compose((dispatch) => (options, handler) => {
  if (new URL(String(options.origin)).host !== BEARER_HOST) return dispatch(options, handler);
  const pairs = Array.isArray(options.headers)
    ? options.headers.flatMap((name, i, all) => (i % 2 ? [] : [[String(name), String(all[i + 1])]]))
    : Object.entries(options.headers ?? {});
  if (!pairs.some(([name]) => name.toLowerCase() === 'authorization')) pairs.push(['authorization', authorization]);
  return dispatch({ ...options, headers: pairs.flat() }, handler);
}));

const request = http.request;
http.request = (options, ...rest) => {
  const ours = `${options?.hostname}:${options?.port}` === BEARER_HOST;
  return request(ours ? { ...options, headers: { authorization, ...options.headers } } : options, ...rest);
};
