// The host: JSON-RPC 2.0 over postMessage, as MCP Apps 2026-01-26 describes it.

const TALLEST = 500;
const host = { context: {}, capabilities: {}, asked: {} };
const waiting = new Map();
let lastId = 0;

function send(message) {
  parent.postMessage({ jsonrpc: '2.0', ...message }, '*');
}

function ask(method, params) {
  lastId += 1;
  send({ id: lastId, method, params });
  return new Promise((done, failed) => waiting.set(lastId, { done, failed }));
}

/** Calls a tool through the host. The answer goes to this view alone. */
async function callTool(name, args) {
  return answerOf(await ask('tools/call', { name, arguments: args }));
}

/** Another member's answer is continued with data of the same member. */
const ofSamePerson = () => (host.asked.person ? { person: host.asked.person } : {});

const canCallTools = () => Boolean(host.capabilities.serverTools);

/** The answer of a tool as an object. Text without structure says why there is nothing to draw. */
function answerOf(result) {
  const text = (result?.content ?? []).filter((part) => part.type === 'text').map((part) => part.text).join('\n');
  if (result?.isError) return { sentence: text };
  const given = result?.structuredContent;
  const isWrapped = given && Object.keys(given).length === 1 && typeof given.result === 'string';
  if (given && typeof given === 'object' && !isWrapped) return { data: given };
  try {
    const data = JSON.parse(isWrapped ? given.result : text);
    if (data && typeof data === 'object') return { data };
  } catch {
    // A sentence instead of data.
  }
  return { sentence: text };
}

/** The largest height that the host allows. */
function tallest() {
  const { height, maxHeight } = host.context.containerDimensions ?? {};
  return Math.max(120, Math.min(TALLEST, height ?? TALLEST, maxHeight ?? TALLEST));
}

function take(context) {
  Object.assign(host.context, context);
  const { theme } = host.context;
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}

let toldSize = '';
function tellSize() {
  const height = Math.min(tallest(), Math.ceil(document.getElementById('view').getBoundingClientRect().height));
  const width = Math.ceil(document.documentElement.clientWidth);
  document.documentElement.style.height = `${height}px`;
  if (toldSize === `${width} ${height}`) return;
  toldSize = `${width} ${height}`;
  send({ method: 'ui/notifications/size-changed', params: { width, height } });
}

/** Shakes hands, then hands every answer to `view.show` and draws again when the host changes. */
async function start(view) {
  const told = {
    'ui/notifications/tool-input': ({ arguments: args }) => { host.asked = args ?? {}; },
    'ui/notifications/tool-result': (result) => view.show(answerOf(result)),
    'ui/notifications/tool-cancelled': () => view.show({ sentence: 'The call was cancelled.' }),
    'ui/notifications/host-context-changed': (context) => { take(context); view.redraw(); },
  };
  addEventListener('message', ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== '2.0') return;
    if (data.method === undefined) {
      const { done, failed } = waiting.get(data.id) ?? {};
      waiting.delete(data.id);
      if (data.error) failed?.(new Error(data.error.message));
      else done?.(data.result);
    } else if (data.id !== undefined) {
      const isKnown = ['ping', 'ui/resource-teardown'].includes(data.method);
      send(isKnown ? { id: data.id, result: {} } : { id: data.id, error: { code: -32601, message: 'not known here' } });
    } else {
      told[data.method]?.(data.params ?? {});
    }
  });
  take({ theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light' });
  new ResizeObserver(() => view.redraw()).observe(document.documentElement);
  try {
    const { hostContext, hostCapabilities } = await ask('ui/initialize', {
      protocolVersion: '2026-01-26',
      appInfo: { name: 'garmin-gateway', version: '1' },
      appCapabilities: { availableDisplayModes: ['inline'] },
    });
    host.capabilities = hostCapabilities ?? {};
    take(hostContext);
    send({ method: 'ui/notifications/initialized', params: {} });
    view.redraw();
  } catch {
    view.show({ sentence: 'This program does not show charts.' });
  }
}
