/** The line icons of the pages: 20 px grid, 1.5 px line. Their markup is ours, so views may print it unescaped. */
const paths = {
  address: '<path d="M10 17.5s5.5-4.6 5.5-9a5.5 5.5 0 0 0-11 0c0 4.4 5.5 9 5.5 9z"/><circle cx="10" cy="8.5" r="2"/>',
  alert: '<circle cx="10" cy="10" r="7.5"/><path d="M10 6v4.75M10 13.75v.01"/>',
  apps: '<rect x="3" y="3" width="5.5" height="5.5" rx="1.25"/><rect x="11.5" y="3" width="5.5" height="5.5" rx="1.25"/><rect x="3" y="11.5" width="5.5" height="5.5" rx="1.25"/><rect x="11.5" y="11.5" width="5.5" height="5.5" rx="1.25"/>',
  back: '<path d="M16 10H4M9 5l-5 5 5 5"/>',
  check: '<path d="m4 10.5 4 4 8-9"/>',
  clock: '<circle cx="10" cy="10" r="7.5"/><path d="M10 5.75V10l2.75 2"/>',
  copy: '<rect x="7" y="7" width="10" height="10" rx="2"/><path d="M13 4.5A1.5 1.5 0 0 0 11.5 3h-7A1.5 1.5 0 0 0 3 4.5v7A1.5 1.5 0 0 0 4.5 13"/>',
  device: '<rect x="2.5" y="4" width="15" height="9.5" rx="1.5"/><path d="M7 16.5h6"/>',
  document: '<path d="M5 3h6.5L15.5 7v10H5zM11.5 3v4h4M7.5 10.5h5M7.5 13.5h5"/>',
  doors: '<path d="M3 17V8.5a5 5 0 0 1 10 0M8 17v-5a4.5 4.5 0 0 1 9 0v5M2 17h16"/>',
  download: '<path d="M10 3v9M6.5 8.5 10 12l3.5-3.5M3.5 16.5h13"/>',
  forward: '<path d="M7.5 4.5 13 10l-5.5 5.5"/>',
  home: '<path d="M3 17V9.5L10 3.5l7 6V17h-4.5v-5h-5v5z"/>',
  info: '<circle cx="10" cy="10" r="7.5"/><path d="M10 9.25V14M10 6.25v.01"/>',
  key: '<circle cx="6.5" cy="13.5" r="3.75"/><path d="M9.2 10.8 17 3M13.5 6.5l2.5 2.5M11 9l1.5 1.5"/>',
  list: '<path d="M7 5h10M7 10h10M7 15h10M3 5v.01M3 10v.01M3 15v.01"/>',
  mail: '<rect x="2.5" y="4.5" width="15" height="11" rx="1.5"/><path d="m3 5.5 7 5.5 7-5.5"/>',
  password: '<rect x="2" y="6" width="16" height="8" rx="2"/><path d="M6 10v.01M10 10v.01M14 10v.01"/>',
  person: '<circle cx="10" cy="6.5" r="3"/><path d="M4 17c0-3.5 2.7-5.5 6-5.5s6 2 6 5.5"/>',
  phone: '<rect x="5.5" y="2.5" width="9" height="15" rx="1.75"/><path d="M9 14.75h2"/>',
  print:
    '<path d="M6 7V3h8v4M6 14H4.5A1.5 1.5 0 0 1 3 12.5v-4A1.5 1.5 0 0 1 4.5 7h11A1.5 1.5 0 0 1 17 8.5v4a1.5 1.5 0 0 1-1.5 1.5H14M6 11.5h8V17H6z"/>',
  seal: '<path d="M10 2.75 16 5v4.5c0 3.8-2.5 6.5-6 7.75-3.5-1.25-6-3.95-6-7.75V5z"/><path d="m7.25 9.75 2 2 3.5-4"/>',
  warning: '<path d="M10 3.25 17.75 16.5H2.25zM10 8.25v3.75M10 14.25v.01"/>',
} as const;

/** The name of an icon; a closed set. */
export type IconName = keyof typeof paths;

/**
 * An icon as inline SVG, hidden from screen readers: a word always stands beside it.
 * @param options.flip mirrors it in right-to-left text, for what points somewhere
 * @param options.tone colours it as the state that the words beside it tell
 * @throws RangeError for a name that is not in the set
 */
export function icon(
  name: IconName,
  { flip = false, tone }: { flip?: boolean; tone?: 'ok' | 'warn' | undefined } = {},
): string {
  if (!Object.hasOwn(paths, name)) throw new RangeError(`There is no icon ${name}.`);
  const colour = tone === 'ok' ? ' ok' : tone === 'warn' ? ' warn' : '';
  return `<svg class="icon${flip ? ' flip' : ''}${colour}" viewBox="0 0 20 20" aria-hidden="true">${paths[name]}</svg>`;
}
