// The npm package auth0, current major version.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManagementClient } from "auth0";
import { CLIENTS, NOBODY, REFUSED, tenant, token } from "./sandbox.mjs";

const at = tenant(0);
const management = new ManagementClient(at);

async function all(page) {
  const clients = [];
  for await (const client of page) clients.push(client);
  return clients;
}

test("all pages of the list hold each client once, and the total says how many", async () => {
  const first = await management.clients.list({ per_page: 10, include_totals: true, is_global: false });
  assert.equal(first.response.total, CLIENTS);
  assert.equal(first.data.length, 10);
  const clients = await all(first);
  assert.equal(new Set(clients.map((client) => client.client_id)).size, CLIENTS);
});

test("a list of some fields holds those alone, and the tenant's name as the service adds it", async () => {
  const page = await management.clients.list({ per_page: 3, fields: "client_id,name", include_fields: true });
  for (const client of page.data) assert.deepEqual(Object.keys(client).sort(), ["client_id", "name", "tenant"]);
});

test("an update is answered with the whole client, and read again the same", async () => {
  const [before] = (await management.clients.list({ per_page: 1, is_global: false })).data;
  const change = { description: "by the SDK", callbacks: ["https://sdk.example/cb"], client_metadata: { by: "sdk" } };
  const answered = await management.clients.update(before.client_id, change);
  // Lists show the certificates of a client otherwise than single answers.
  const metadata = { ...before.client_metadata, by: "sdk" };
  assert.deepEqual(answered, { ...before, ...change, client_metadata: metadata, signing_keys: answered.signing_keys });
  assert.deepEqual(await management.clients.get(before.client_id), answered);
});

test("a body that is refused is an error with Auth0's status, code and message, and changes nothing", async () => {
  const [before] = (await management.clients.list({ per_page: 1, is_global: false })).data;
  const refused = { statusCode: 400, error: "Bad Request", errorCode: "invalid_body", message: REFUSED };
  await assert.rejects(management.clients.update(before.client_id, { name: "a<b" }), (error) => {
    assert.equal(error.name, "BadRequestError");
    assert.equal(error.statusCode, 400);
    assert.deepEqual(error.body, refused);
    return true;
  });
  assert.equal((await management.clients.get(before.client_id)).name, before.name);
});

test("a client that is not there is a NotFoundError, for reads and updates", async () => {
  for (const call of [
    () => management.clients.get(NOBODY),
    () => management.clients.update(NOBODY, { name: "x" }),
  ]) {
    await assert.rejects(call, (error) => {
      assert.equal(error.name, "NotFoundError");
      assert.equal(error.statusCode, 404);
      assert.equal(error.body.errorCode, "inexistent_client");
      return true;
    });
  }
});

test("a client that is created can be deleted", async () => {
  const made = await management.clients.create({ name: "Made by the SDK", app_type: "spa" });
  assert.equal((await management.clients.get(made.client_id)).name, "Made by the SDK");
  await management.clients.delete(made.client_id);
  await assert.rejects(management.clients.get(made.client_id), { statusCode: 404 });
});

test("a ready token works in place of a secret, and the tenant has the other name of this machine too", async () => {
  const ready = new ManagementClient({ domain: at.address, token: await token(at) });
  assert.equal((await all(await ready.clients.list({ is_global: false }))).length, CLIENTS);
});
