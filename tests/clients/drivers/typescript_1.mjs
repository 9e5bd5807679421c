// npm's @modelcontextprotocol/sdk 1.x: the legacy era. Usage: typescript_1.mjs MCP_URL
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { obey, Provider } from './lines.mjs';

const url = new URL(process.argv[2]);
const provider = new Provider({
  client_name: 'TypeScript 1',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
});
let client;
let transport;

async function open() {
  transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
  client = new Client({ name: 'typescript-1', version: '1' });
  await client.connect(transport);
}

// When a command ends at the sign-in page, an application finishes the sign-in and connects again.
async function signIn(error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(provider.returned.get('code'));
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
