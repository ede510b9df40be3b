// tests/wasm/browser_host.mjs - in a worker of a browser: the private file system, for the suite in another one.
import { Bridge } from '../../io/wasm/host/bridge.mjs';
import { opfsHost } from '../../io/wasm/host/opfs.mjs';
import { MAILBOX_BYTES, serve } from './remote.mjs';

onmessage = async ({ data: { pages, only } }) => {
  const host = await opfsHost({ directory: 'conformance' });
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const mailbox = new SharedArrayBuffer(MAILBOX_BYTES);
  const knock = serve(new Bridge(host), memory, mailbox);
  const module = await WebAssembly.compileStreaming(fetch('/conformance.wasm'));
  const worker = new Worker('./conformance_worker.mjs', { type: 'module' });
  worker.onmessage = ({ data }) => (data[0] === 'knock' ? knock() : postMessage(data));
  worker.onerror = (event) => postMessage(['failed', event.message]);
  worker.postMessage({ module, memory, mailbox, features: host.features, root: '/conformance', only });
};
