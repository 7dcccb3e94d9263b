// The npm package oidc-provider as a running OpenID provider: the second opinion beside Keycloak.
//
//   node oidc-provider.mjs '{"clientId": "...", "clientSecret": "...", "redirectUris": ["..."], "users": {"alice": {"email": "..."}}}'
//
// Listens on a free port of 127.0.0.1 and prints one JSON line {"issuer": "..."} when it is ready. Its own
// development pages ask for a login name (any password) and for consent; the name must be one of `users`.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);
const users = settings.users ?? {};

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: settings.clientId,
      client_secret: settings.clientSecret,
      redirect_uris: settings.redirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
  ],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'locale', 'zoneinfo'],
  },
  findAccount: (_context, id) =>
    Object.hasOwn(users, id)
      ? { accountId: id, claims: () => ({ sub: id, preferred_username: id, ...users[id] }) }
      : undefined,
  features: { devInteractions: { enabled: true }, revocation: { enabled: true }, introspection: { enabled: true } },
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
});

server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
