// Auth0's Deploy CLI: clients are exported to files, edited there, and imported again.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ManagementClient } from "auth0";
import { tenant } from "./sandbox.mjs";

const at = tenant(3);
const management = new ManagementClient(at);
const PROGRAM = join(process.cwd(), "node_modules", "auth0-deploy-cli", "lib", "index.js");
const folder = await mkdtemp(join(tmpdir(), "deploy-"));

/** Runs it; an import takes some 15 seconds of a core, before it asks for anything. */
async function deploy(...args) {
  const env = {
    ...process.env,
    AUTH0_DOMAIN: at.domain,
    AUTH0_CLIENT_ID: at.clientId,
    AUTH0_CLIENT_SECRET: at.clientSecret,
    AUTH0_INCLUDED_ONLY: '["clients"]',
    // Clients whose names differ are told apart by their ids.
    AUTH0_EXPORT_IDENTIFIERS: "true",
  };
  const options = { cwd: folder, env, timeout: 120_000, killSignal: "SIGKILL" };
  try {
    await promisify(execFile)(process.execPath, [PROGRAM, ...args], options);
  } catch ({ message, stdout = "" }) {
    assert.fail(`${message}${stdout.split("\n").slice(-15).join("\n")}`);
  }
}

/** Every client by its id. The CLI exports a list that is null as an empty one. */
async function state() {
  const clients = {};
  for await (const client of await management.clients.list({ per_page: 100 })) {
    const said = Object.entries(client).map(([key, value]) => [key, key === "allowed_clients" ? value ?? [] : value]);
    clients[client.client_id] = Object.fromEntries(said);
  }
  return clients;
}

test("names of clients are their own, which the Deploy CLI wants", async () => {
  const seen = new Set();
  for (const [id, { name }] of Object.entries(await state())) {
    if (seen.has(name)) await management.clients.update(id, { name: `${name} of ${id}` });
    seen.add(name);
  }
});

test("an import changes what was edited in the file and nothing else, fields that cannot be updated included", async () => {
  await deploy("export", "--format", "yaml", "--output_folder", "exported");
  const file = join(folder, "exported", "tenant.yaml");
  const before = await state();
  const edited = Object.values(before).find((client) => client.app_type === "spa" && client.callbacks?.length > 0);
  const lines = (await readFile(file, "utf8")).split("\n");
  // A client begins with a dash at the margin of the list and ends where the next one begins.
  const begins = lines.flatMap((line, at) => (line.startsWith("  - ") ? [at] : []));
  const named = lines.findIndex((line) => line.trim().replace(/^- /, "") === `client_id: ${edited.client_id}`);
  const first = begins.findLast((at) => at <= named);
  const next = begins.find((at) => at > named) ?? lines.length;
  const client = lines.slice(first, next).filter((line) => !line.startsWith("    description:"));
  const callbacks = client.findIndex((line) => line.trim() === "callbacks:");
  client.splice(callbacks + 1, 0, "      - https://deployed.example/cb");
  // The last three the Deploy CLI must leave out of what it sends, or the update is refused.
  const added = ["    description: by the Deploy CLI", "    tenant: elsewhere", "    global: true", "    signing_keys: []"];
  client.splice(1, 0, ...added);
  lines.splice(first, next - first, ...client);
  await writeFile(file, lines.join("\n"));
  await deploy("import", "--input_file", file);
  const expected = structuredClone(before);
  expected[edited.client_id].description = "by the Deploy CLI";
  expected[edited.client_id].callbacks = ["https://deployed.example/cb", ...edited.callbacks];
  assert.deepEqual(await state(), expected);
});

test("what was exported to a directory and imported unchanged changes nothing", async () => {
  const before = await state();
  await deploy("export", "--format", "directory", "--output_folder", "directory");
  await deploy("import", "--input_file", "directory");
  assert.deepEqual(await state(), before);
});
