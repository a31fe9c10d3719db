/** Authorization request parameters in plain words, for step 2. */
export const parameterMeanings: Readonly<Record<string, string>> = {
  client_id: 'Which app asks. It is public and no secret.',
  response_type: 'What the app wants back: a code, never a token in the address bar.',
  redirect_uri: 'Where the answer goes. It has to equal a registered address, character by character.',
  scope: 'What the app wants to know or do. The person is asked for it in words.',
  state: 'Ties the answer to this browser. The app refuses an answer with another value (CSRF).',
  nonce: 'Comes back inside the ID token, so that a token of another sign-in cannot be slipped in.',
  code_challenge: 'PKCE: the hash of a secret that only this app has. A stolen code is useless without that secret.',
  code_challenge_method: 'How the challenge was made: SHA-256.',
  prompt: 'Which pages to show whatever the session says.',
  max_age: 'The sign-in may be this many seconds old; an older one is asked for again.',
  acr_values: 'How strong the sign-in has to be; aal2 means two factors.',
  login_hint: 'Fills the username field.',
  resource: 'The API that the access token is for. It becomes the audience (RFC 8707).',
  claims: 'Single claims, beyond what the scopes open.',
  request_uri:
    'Stands for all parameters. The app pushed them straight to the server (PAR, RFC 9126), so nobody could read or change them on the way.',
};

/** Claims of ID tokens and access tokens in plain words, for step 4. */
export const claimMeanings: Readonly<Record<string, string>> = {
  iss: 'Who issued it',
  sub: 'Who it is about: stable, never reused, never an email address',
  aud: 'Whom it is for; anybody else refuses it',
  exp: 'Worthless after this',
  iat: 'When it was issued',
  nbf: 'Worthless before this',
  auth_time: 'When the person really signed in',
  nonce: 'The value of our request, so this token belongs to it',
  acr: 'How strong the sign-in was: aal1 one factor, aal2 two',
  amr: 'How the person signed in: pwd password, otp one-time code, mfa more than one',
  azp: 'The app that it was issued to',
  at_hash: 'Ties the ID token to the access token',
  c_hash: 'Ties the ID token to the code',
  sid: 'The session at the issuer; a logout names it',
  jti: 'Its own id, for revocation and for telling replays',
  client_id: 'The app that may use it',
  grant_id: 'What the person allowed; when that ends, so does the token',
  scope: 'What it allows',
  cnf: 'The key that its user has to prove (DPoP)',
  email: 'Email address',
  email_verified: 'Whether the address was confirmed',
  name: 'Full name',
  given_name: 'Given name',
  middle_name: 'Middle name',
  family_name: 'Family name',
  nickname: 'Nickname',
  preferred_username: 'What the person likes to be called; not for identification',
  profile: 'Address of their profile page',
  picture: 'Address of their picture',
  website: 'Address of their website',
  gender: 'Gender, in their own words',
  birthdate: 'Date of birth; without the year it begins with 0000',
  zoneinfo: 'Time zone',
  locale: 'Language that the person reads',
  address: 'Postal address',
  phone_number: 'Phone number',
  phone_number_verified: 'Whether the phone number was confirmed',
  updated_at: 'Last change of the profile',
};

/** Claims whose number is a time in seconds since the epoch. */
export const timeClaims: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

/** Scopes in plain words, for step 1. */
export const scopeMeanings: Readonly<Record<string, string>> = {
  openid: 'An ID token that says who signed in',
  profile: 'Name and profile',
  email: 'Email address',
  address: 'Postal address',
  phone: 'Phone number',
  offline_access: 'A refresh token that outlives the session; takes effect with Prompt: consent',
};
