// A program without a person: it gets a token for one API and calls it. npm install openid-client
import * as client from 'openid-client';

const { ISSUER = 'http://localhost:3000', CLIENT_ID = '', CLIENT_SECRET = '' } = process.env;
const { API_URL = 'http://localhost:8081/orders' } = process.env;

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), {
  execute: ISSUER.startsWith('http:') ? [client.allowInsecureRequests] : [], // plain http on this machine only
});
const { access_token } = await client.clientCredentialsGrant(config, {
  resource: 'https://orders.example.com',
  scope: 'orders.read',
});
const response = await fetch(API_URL, { headers: { authorization: `Bearer ${access_token}` } });
console.log(response.status, await response.text());
