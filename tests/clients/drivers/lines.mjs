// The protocol of a driver, which lines.py describes, and the OAuth provider that both releases of the library require.
import { createInterface } from 'node:readline';

const CALLBACK = 'http://localhost:3030/callback';

// Keeps everything in memory. `returned` is the query with which the browser last came to the callback.
export class Provider {
  kept = {};
  returned = undefined;
  constructor(metadata) {
    this.clientMetadata = { redirect_uris: [CALLBACK], ...metadata };
  }
  get redirectUrl() { return CALLBACK; }
  clientInformation() { return this.kept.client; }
  saveClientInformation(client) { this.kept.client = client; }
  tokens() { return this.kept.tokens; }
  saveTokens(tokens) { this.kept.tokens = tokens; }
  codeVerifier() { return this.kept.verifier; }
  saveCodeVerifier(verifier) { this.kept.verifier = verifier; }
  saveDiscoveryState(found) { this.kept.discovery = found; }
  discoveryState() { return this.kept.discovery; }
  invalidateCredentials(which) {
    if (which === 'all') this.kept = {};
    else delete this.kept[which === 'discovery' ? 'discovery' : which];
  }
  async redirectToAuthorization(url) {
    const reply = await fetch(process.env.BROWSER_URL, { method: 'POST', body: JSON.stringify({ url: String(url) }) });
    if (!reply.ok) throw new Error(`the browser got nowhere: ${await reply.text()}`);
    this.returned = new URL((await reply.json()).location).searchParams;
  }
}

// Carries out commands until the input ends.
export async function obey(acts) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: act, ...rest } = JSON.parse(line);
    let answer;
    try {
      answer = await acts[act](rest);
    } catch (error) {
      console.error(error);
      answer = { failed: `${error.name}: ${error.message}` };
    }
    console.log(JSON.stringify(answer));
  }
  process.exit(0);
}
