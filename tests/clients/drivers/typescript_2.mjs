// npm's @modelcontextprotocol/client 2.x: checks `iss`. Usage: typescript_2.mjs MCP_URL auto|legacy
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { obey, Provider } from './lines.mjs';

const url = new URL(process.argv[2]);
const mode = process.argv[3];
const provider = new Provider({ client_name: 'TypeScript 2' });
let client;
let transport;

async function open() {
  transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
  client = new Client({ name: 'typescript-2', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(transport);
}

// When a command ends at the sign-in page, an application finishes the sign-in and connects again.
async function signIn(error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(provider.returned);
  await open();
}

async function signedIn(act) {
  try {
    return await act();
  } catch (error) {
    await signIn(error);
    return act();
  }
}

await obey({
  connect: async () => {
    await open().catch(signIn);
    return { era: transport.protocolVersion };
  },
  list: async () => ({ tools: (await signedIn(() => client.listTools())).tools }),
  call: async ({ tool, arguments: values }) => {
    const result = await signedIn(() => client.callTool({ name: tool, arguments: values }));
    return { text: result.content[0].text, is_error: result.isError ?? false };
  },
  tokens: async () => provider.kept.tokens,
});
