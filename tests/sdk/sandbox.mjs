// The simulated tenants, as the first line of `patchwave sandbox --output json` tells of them.

/** A tenant of its own for each tool, so that none sees what another did. Auth0's tools take a domain and make https:// of it. */
export function tenant(number) {
  const { domain, client_id, client_secret } = JSON.parse(process.env.SANDBOX).tenants[number];
  const address = domain.replace("https://", "");
  return {
    address,
    domain: address.replace("127.0.0.1", "localhost"),
    clientId: client_id,
    clientSecret: client_secret,
  };
}

/** Clients that each tenant has beside the global one: those made up, and the one that signs in. */
export const CLIENTS = Number(process.env.CLIENTS) + 1;

/** An id that no client has. */
export const NOBODY = "0".repeat(32);

export const REFUSED = "Payload validation error: 'String does not match pattern ^[^<>]+$: a<b' on property name.";

/** A token, asked for as documented, without any library. */
export async function token({ domain, clientId, clientSecret }) {
  const answer = await fetch(`https://${domain}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      audience: `https://${domain}/api/v2/`,
    }),
  });
  return (await answer.json()).access_token;
}
