// The identity provider of development and of the tests: a standard OpenID issuer (`node issuer.mjs <the console's origin>`) whose sign-in
// page has a button for each of our officers instead of a password. Prints its address, and takes its settings from the environment:
// ISSUER_PORT (0: a free one), ISSUER_ACCESS_SECONDS (how long an access token holds), ISSUER_KEY and ISSUER_KID (its key).
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const console_origin = process.argv[2] ?? 'http://127.0.0.1:7306';
const access_seconds = Number(process.env.ISSUER_ACCESS_SECONDS ?? 300);
const SHIFT_SECONDS = 14 * 3600;
/** What an access token is for. The audience is the services', whatever their addresses. */
const RESOURCE = 'urn:alcove:services';
const SERVICES = { scope: '', audience: 'alcove', accessTokenFormat: 'jwt', accessTokenTTL: access_seconds, jwt: { sign: { alg: 'ES256' } } };

const OFFICERS = {
  'pc-okafor': { name: 'PC Ada Okafor', force: 'wmp', roles: ['desk_officer'] },
  'pc-singh': { name: 'PC Harjit Singh', force: 'wmp', roles: ['desk_officer'] },
  'sgt-price': { name: 'Sgt Carys Price', force: 'wmp', roles: ['desk_officer', 'sergeant'] },
  'dc-hughes': { name: 'DC Owen Hughes', force: 'wmp', roles: ['investigator'] },
  'disclosure-brown': { name: 'Ruth Brown', force: 'wmp', roles: ['disclosure'] },
  'auditor-kaur': { name: 'Jas Kaur', force: 'wmp', roles: ['auditor'] },
  'admin-lewis': { name: 'Ben Lewis', force: 'wmp', roles: ['admin'] },
  'pc-marsh': { name: 'PC Tom Marsh', force: 'kent', roles: ['desk_officer'] },
};

/** What the issuer keeps, as long as it runs. */
class Kept {
  static all = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, payload) {
    Kept.all.set(`${this.kind} ${id}`, payload);
  }

  async find(id) {
    return Kept.all.get(`${this.kind} ${id}`);
  }

  async findByUid(uid) {
    return [...Kept.all.entries()].find(([key, payload]) => key.startsWith(`${this.kind} `) && payload.uid === uid)?.[1];
  }

  async consume(id) {
    Kept.all.get(`${this.kind} ${id}`).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Kept.all.delete(`${this.kind} ${id}`);
  }

  async revokeByGrantId(grant) {
    for (const [key, { grantId }] of Kept.all) if (grantId === grant) Kept.all.delete(key);
  }
}

// Whoever starts it may bring a key, to sign tokens of its own with.
const { ISSUER_KEY, ISSUER_KID } = process.env;
const key = ISSUER_KEY
  ? createPrivateKey({ key: Buffer.from(ISSUER_KEY, 'base64'), format: 'der', type: 'pkcs8' })
  : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const settings = {
  adapter: Kept,
  claims: { openid: ['sub', 'name', 'force', 'roles'] },
  clientBasedCORS: () => false,
  clients: [{
    client_id: 'alcove-console',
    client_secret: 'development-only',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [`${console_origin}/callback`],
    post_logout_redirect_uris: [`${console_origin}/`],
    backchannel_logout_uri: `${console_origin}/backchannel-logout`,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: 'ES256',
  }],
  conformIdTokenClaims: false,
  cookies: { keys: [randomUUID()] },
  extraTokenClaims: (_, { accountId }) => ({ force: OFFICERS[accountId].force, roles: OFFICERS[accountId].roles }),
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => SERVICES,
    },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource: confirm_end },
  },
  // The library keeps itself from addresses like ours; the console is on this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_, id) => OFFICERS[id] && { accountId: id, claims: () => ({ sub: id, ...OFFICERS[id] }) },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  issueRefreshToken: () => true,
  jwks: { keys: [{ ...key.export({ format: 'jwk' }), kid: ISSUER_KID ?? randomUUID(), alg: 'ES256', use: 'sig' }] },
  loadExistingGrant: granted,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: access_seconds, Grant: SHIFT_SECONDS, IdToken: Math.max(300, access_seconds), Interaction: 600, RefreshToken: SHIFT_SECONDS, Session: SHIFT_SECONDS },
};

/** The force has said once and for all that its officers may use the desk: nobody is asked. */
async function granted({ oidc: { provider, session, client, params } }) {
  const id = session.grantIdFor(client.clientId);
  const grant = (id && await provider.Grant.find(id)) || new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(params.scope);
  grant.addResourceScope(RESOURCE, '');
  await grant.save();
  return grant;
}

const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>${title}</title><style>body{font:1.1rem system-ui;max-width:30rem;margin:3rem auto;padding:0 1rem}
button{display:block;width:100%;margin:.5rem 0;padding:.8rem;font:inherit;text-align:left}</style><main><h1>${title}</h1>${body}</main></html>`;

function choose(uid) {
  const buttons = Object.entries(OFFICERS).map(([id, { name, force, roles }]) =>
    `<button name="officer" value="${id}" data-officer="${id}">${name}, ${force} (${roles.join(', ')})</button>`);
  return page('Who is at the desk?', `<p>Development sign-in: choose a name.</p><form method="post" action="/interaction/${uid}">${buttons.join('')}</form>`);
}

/** Signing out of the console is signing out: the question that others ask is answered by a click more. */
function confirm_end(ctx, form) {
  ctx.body = page('Signing out', `${form}<button id="end" form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
}

// Its own address is its name: so it listens first.
const server = createServer((request, response) => answer(request, response));
await new Promise((listening) => server.listen(Number(process.env.ISSUER_PORT ?? 0), '127.0.0.1', listening));
const address = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(address, settings);
// What went wrong, without a token or a name.
for (const event of ['server_error', 'authorization.error', 'grant.error', 'backchannel.error', 'end_session.error']) {
  provider.on(event, (...said) => console.error(event, said.find((one) => one instanceof Error)?.message, said.find((one) => one instanceof Error)?.error_description ?? ''));
}
const handle = provider.callback();

async function answer(request, response) {
  const { pathname } = new URL(request.url, address);
  const [, uid] = pathname.match(/^\/interaction\/([\w-]+)$/) ?? [];
  try {
    if (uid && request.method === 'POST') {
      const body = new URLSearchParams(await text(request));
      await provider.interactionFinished(request, response, { login: { accountId: body.get('officer'), remember: false } });
    } else if (uid) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(choose(uid));
    } else if (pathname === '/forget' && request.method === 'POST') {
      // For tests, as is the next: everybody's sign-in and tokens are gone, as when an administrator takes them back.
      Kept.all.clear();
      response.end();
    } else if (pathname === '/refresh-tokens') {
      const all = [...Kept.all].filter(([key]) => key.startsWith('RefreshToken ')).map(([, { consumed }]) => consumed);
      response.end(JSON.stringify({ held: all.filter((spent) => !spent).length, spent: all.filter(Boolean).length }));
    } else {
      await handle(request, response);
    }
  } catch (error) {
    console.error(error.message);
    response.writeHead(400).end();
  }
}

async function text(stream) {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

process.stdout.write(`${address}\n`);
