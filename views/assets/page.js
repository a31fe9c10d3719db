// Everything here is an extra: each page works without it. Buttons that need it are sent hidden.
const live = document.querySelector('[data-live]');
const each = (selector, run) => document.querySelectorAll(selector).forEach(run);

const say = (text) => {
  live.textContent = '';
  requestAnimationFrame(() => {
    live.textContent = text;
  });
};

function swap(button, input, shown) {
  if ((input.type === 'text') === shown) return;
  input.type = shown ? 'text' : 'password';
  const { other, otherLabel } = button.dataset;
  button.dataset.other = button.textContent;
  button.dataset.otherLabel = button.ariaLabel;
  button.textContent = other;
  button.ariaLabel = otherLabel;
}

each('[data-toggle]', (button) => {
  const input = document.getElementById(button.dataset.toggle);
  button.hidden = false;
  button.addEventListener('click', () => swap(button, input, input.type === 'password'));
  // Hidden again before it is sent, or the browser would keep it among its autofill texts.
  input.form.addEventListener('submit', () => swap(button, input, false));
});

each('[data-caps]', (hint) => {
  const input = document.getElementById(hint.dataset.caps);
  const show = (on) => {
    const text = on ? hint.dataset.text : '';
    if (hint.textContent !== text) hint.textContent = text;
  };
  const read = (event) => show(event.getModifierState?.('CapsLock') ?? false);
  input.addEventListener('keydown', read);
  input.addEventListener('keyup', read);
  input.addEventListener('blur', () => show(false));
});

const textOf = (element) =>
  element.dataset.text ??
  (element.children.length > 0 ? [...element.children] : [element]).map((part) => part.textContent.trim()).join('\n');

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.querySelector('span');
  try {
    await navigator.clipboard.writeText(textOf(source));
  } catch {
    // Refused, or not a secure context: mark the text, so that the keyboard can copy it.
    getSelection().selectAllChildren(source);
    return;
  }
  const before = label.textContent;
  label.textContent = 'Copied';
  say('Copied');
  setTimeout(() => {
    label.textContent = before;
  }, 2000);
}

each('[data-copy]', (button) => {
  button.hidden = false;
  let busy = false;
  button.addEventListener('click', async () => {
    if (busy) return;
    busy = true;
    await copy(button);
    setTimeout(() => {
      busy = false;
    }, 2000);
  });
});

each('[data-print]', (button) => {
  button.hidden = false;
  button.addEventListener('click', () => print());
});

each('[data-fill]', (button) => {
  button.hidden = false;
  button.addEventListener('click', () => {
    for (const [name, value] of Object.entries(JSON.parse(button.dataset.fill))) {
      document.getElementById(name).value = value;
    }
    document.querySelector('[name=action][value=continue]').focus();
  });
});

// The language of the page with the habits of this person's country, for example its 24 hours.
const { lang } = document.documentElement;
const isTag = (name) => {
  try {
    return Intl.getCanonicalLocales(name).length > 0;
  } catch {
    return false; // Some systems hand their own names through, such as en-US@posix.
  }
};
const locale =
  navigator.languages.find((name) => (name === lang || name.startsWith(`${lang}-`)) && isTag(name)) ?? lang;

each('time[data-local]', (time) => {
  const styles = {
    clock: { timeStyle: 'short' },
    day: { dateStyle: 'long' },
    short: { dateStyle: 'medium', timeStyle: 'short' },
  };
  const style = styles[time.dataset.local] ?? { dateStyle: 'long', timeStyle: 'short' };
  time.textContent = new Intl.DateTimeFormat(locale, style).format(new Date(time.dateTime));
});

// A second press while the first is on its way would post twice. A download leaves the page standing, so it is free.
each('form[method=post]', (form) => {
  form.addEventListener('submit', (event) => {
    const pressed = event.submitter;
    if (form.ariaBusy === 'true') event.preventDefault();
    else if (pressed?.value !== 'download') {
      form.ariaBusy = 'true';
      pressed?.setAttribute('aria-busy', 'true');
      setTimeout(() => settle(), 10_000);
    }
  });
});

function settle() {
  each('[aria-busy]', (element) => {
    element.ariaBusy = null;
  });
}
addEventListener('pageshow', (event) => {
  if (event.persisted) settle();
});

each('form[data-go]', (form) => form.submit());
