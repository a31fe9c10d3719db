// Passkeys: an extra; each page works without it. What needs it is sent hidden. Contract: views/partials/passkey.ejs.
const { credentials } = navigator;
const Kind = globalThis.PublicKeyCredential;
const quiet = () => undefined;

// By hand instead of parse…FromJSON and toJSON: Safari has those since 18.4 only, and some password managers that stand
// in for the browser answer with objects whose toJSON throws.
function bytes(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

const descriptors = (list) => list?.map((item) => ({ ...item, id: bytes(item.id) }));

function decode({ challenge, user, allowCredentials, excludeCredentials, ...rest }) {
  const options = { ...rest, challenge: bytes(challenge) };
  if (user) options.user = { ...user, id: bytes(user.id) };
  if (allowCredentials) options.allowCredentials = descriptors(allowCredentials);
  if (excludeCredentials) options.excludeCredentials = descriptors(excludeCredentials);
  return options;
}

function encode({ id, rawId, type, authenticatorAttachment, response }) {
  const parts = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
  const given = parts.filter((part) => response[part]?.byteLength).map((part) => [part, text(response[part])]);
  const json = Object.fromEntries(given);
  if (response.getTransports) json.transports = response.getTransports();
  return { id, rawId: text(rawId), type, authenticatorAttachment, clientExtensionResults: {}, response: json };
}

/** One field of a page with the button beside it. Only one request may be open: each new one ends the last. */
class Ceremony {
  constructor(field) {
    this.field = field;
    this.form = field.form;
    this.kind = field.dataset.passkeyKind;
    this.options = JSON.parse(field.dataset.passkeyOptions);
    this.endsAt = Date.now() + this.options.timeout;
    this.button = this.form.querySelector('button[data-passkey]');
    this.problem = this.form.querySelector('[data-passkey-problem]');
    this.open = Promise.resolve();
    this.aborter = new AbortController();
  }

  start() {
    for (const element of this.form.querySelectorAll('[data-passkey]')) element.hidden = false;
    this.button?.addEventListener('click', (event) => {
      event.preventDefault();
      void this.press();
    });
    // A page that comes back from the browser's memory has an old challenge and no request.
    addEventListener('pageshow', (event) => {
      if (!event.persisted) return;
      this.busy = false;
      void this.offer();
    });
    void this.offer();
  }

  /** Ends the open request and starts another one. */
  async ask(extra) {
    this.aborter.abort();
    await this.open;
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    const asked = credentials[this.kind]({ ...extra, signal, publicKey: decode(this.options) });
    this.open = asked.then(quiet, quiet);
    return asked;
  }

  /** A challenge that is about to end is replaced, where the page says from where. */
  async renew() {
    if (Date.now() < this.endsAt - 30_000 || !this.field.dataset.passkeyFresh) return;
    const answer = await fetch(this.field.dataset.passkeyFresh, { headers: { accept: 'application/json' } });
    if (!answer.ok) throw new Error('The server gave no new challenge.');
    this.options = await answer.json();
    this.endsAt = Date.now() + this.options.timeout;
  }

  async press() {
    if (this.busy || this.form.ariaBusy === 'true') return;
    this.busy = true;
    this.tell('');
    clearTimeout(this.timer);
    this.button.ariaBusy = 'true';
    try {
      await this.renew();
      this.send(await this.ask({}));
    } catch (error) {
      this.busy = false;
      this.button.ariaBusy = null;
      this.tell(this.problemOf(error));
      void this.offer();
    }
  }

  /** Without a click: among the names that the browser offers for a field, or as an upgrade after a password. */
  async offer() {
    const { passkeyQuiet } = this.field.dataset;
    if (passkeyQuiet === undefined || !(await this.can())) return;
    clearTimeout(this.timer);
    try {
      await this.renew();
      const left = this.endsAt - Date.now();
      if (left <= 0 || this.busy) return; // A press in the meantime comes first.
      if (this.field.dataset.passkeyFresh) this.timer = setTimeout(() => this.offer(), left - 20_000);
      this.send(await this.ask({ mediation: 'conditional' }));
    } catch {
      // Nobody asked for it, so nobody hears that nothing came of it.
    }
  }

  async can() {
    if (this.kind === 'get') return Kind.isConditionalMediationAvailable?.() ?? false;
    return (await Kind.getClientCapabilities?.())?.conditionalCreate ?? false;
  }

  send(credential) {
    clearTimeout(this.timer);
    this.field.value = JSON.stringify(encode(credential));
    this.field.disabled = false;
    this.form.requestSubmit(this.button);
  }

  problemOf(error) {
    const { cancelled, exists, failed } = this.problem?.dataset ?? {};
    if (error.name === 'NotAllowedError' || error.name === 'AbortError') return cancelled;
    return error.name === 'InvalidStateError' ? exists : failed;
  }

  tell(message) {
    if (!this.problem) return;
    this.problem.textContent = message ?? '';
    this.problem.hidden = !message;
  }
}

/** Tells the browser which passkeys there still are (WebAuthn L3 §5.1.10). Nothing depends on its hearing it. */
function signal({ unknown, accepted, details }) {
  const tell = async (name, value) => value && (await Kind[name]?.(value));
  tell('signalUnknownCredential', unknown).catch(quiet);
  tell('signalAllAcceptedCredentials', accepted).catch(quiet);
  tell('signalCurrentUserDetails', details).catch(quiet);
}

if (Kind && credentials) {
  for (const field of document.querySelectorAll('input[data-passkey-options]')) new Ceremony(field).start();
  for (const { dataset } of document.querySelectorAll('[data-passkey-signals]')) {
    signal(JSON.parse(dataset.passkeySignals));
  }
}
