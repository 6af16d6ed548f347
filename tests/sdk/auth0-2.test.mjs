// Major version 2 of the npm package auth0, with a token: what Auth0's own tutorials of bulk changes use.
import assert from "node:assert/strict";
import { test } from "node:test";
import auth0 from "auth0-2";
import { CLIENTS, NOBODY, REFUSED, tenant, token } from "./sandbox.mjs";

const at = tenant(1);
const management = new auth0.ManagementClient({ domain: at.domain, token: await token(at) });

test("pages with and without totals hold each client once", async () => {
  const ids = new Set();
  for (let page = 0; ; page++) {
    const answer = await management.getClients({ page, per_page: 10, is_global: false, include_totals: true });
    assert.deepEqual([answer.total, answer.start, answer.limit], [CLIENTS, page * 10, 10]);
    const plain = await management.getClients({ page, per_page: 10, is_global: false });
    assert.deepEqual(plain, answer.clients);
    for (const client of answer.clients) ids.add(client.client_id);
    if (answer.clients.length < 10) break;
  }
  assert.equal(ids.size, CLIENTS);
});

test("an update is answered with the whole client, and read again the same", async () => {
  const [{ client_id }] = await management.getClients({ per_page: 1, is_global: false });
  const before = await management.getClient({ client_id });
  const answered = await management.updateClient({ client_id }, { name: "Renamed by version 2" });
  assert.deepEqual(answered, { ...before, name: "Renamed by version 2" });
  assert.deepEqual(await management.getClient({ client_id }), answered);
});

test("refusals have Auth0's status, name and message", async () => {
  const [{ client_id }] = await management.getClients({ per_page: 1, is_global: false });
  const refused = { statusCode: 400, name: "Bad Request", message: REFUSED };
  await assert.rejects(management.updateClient({ client_id }, { name: "a<b" }), refused);
  const missing = { statusCode: 404, name: "Not Found", message: "The client does not exist" };
  await assert.rejects(management.getClient({ client_id: NOBODY }), missing);
  await assert.rejects(management.updateClient({ client_id: NOBODY }, { name: "x" }), missing);
});

test("it can fetch its token by itself as well", async () => {
  const own = new auth0.ManagementClient({ domain: at.domain, clientId: at.clientId, clientSecret: at.clientSecret });
  assert.equal((await own.getClients({ per_page: 5 })).length, 5);
});
