// Starts Swagger UI on our own document. It calls as the person who is signed in to this browser: their session goes
// along by itself, and a change takes the token that the answer to GET /api/v1/me gives.
const root = document.querySelector('#swagger-ui');
const { document: url } = root.dataset;
const header = 'X-CSRF-Token';
let token;

async function csrfToken() {
  token ??= (await fetch('/api/v1/me')).headers.get(header) ?? undefined;
  return token;
}

// Its dark look goes by a class.
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

const isOurs = (address) => new URL(address, location.href).pathname.startsWith('/api/v1/');

SwaggerUIBundle({
  url,
  domNode: root,
  validatorUrl: null,
  deepLinking: false,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  requestSnippetsEnabled: false,
  syntaxHighlight: { activated: false },
  async requestInterceptor(request) {
    if (request.method && request.method !== 'GET' && isOurs(request.url)) {
      const known = await csrfToken();
      if (known !== undefined) request.headers[header] = known;
    }
    return request;
  },
  responseInterceptor(response) {
    // Somebody else may be signed in by now.
    if (response.status === 401 || response.status === 403) token = undefined;
    return response;
  },
});
