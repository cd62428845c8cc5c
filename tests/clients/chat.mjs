// Chats through `openclaw-node` and prints, as JSON, what it gave back. Run by Node.
// Arguments: the package's folder, the gateway's URL, its token, the file for the device's key, and
// what to say.
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [folder, url, token, deviceIdentityPath, message] = process.argv.slice(2);
const { OpenClawClient } = await import(pathToFileURL(join(folder, "dist", "index.mjs")).href);

const client = new OpenClawClient({ url, token, deviceIdentityPath, autoReconnect: false });
const hello = await client.connect();
const kinds = new Set();
let text = "";
for await (const chunk of client.chat(message)) {
  kinds.add(chunk.type);
  if (chunk.type === "text") text += chunk.text;
  if (chunk.type === "error") throw new Error(chunk.text);
}
const health = await client.health();
const agents = await client.agents.list();
const history = await client.sessions.history("main", { limit: 20 });
await client.disconnect();

console.log(JSON.stringify({
  protocol: hello.protocol,
  kinds: [...kinds],
  text,
  healthy: health.ok,
  agents: agents.agents.map(({ id }) => id),
  roles: history.messages.map(({ role }) => role),
}));
