import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import type { Assets } from '../web/http/assets.ts';
import { icon } from '../web/icons.ts';
import { curlOf } from './curl.ts';
import { requestText, responseText } from './exchange.ts';
import type { PlaygroundClients } from './options.ts';
import type { PageModels, PageName } from './page-models.ts';

/** Renders a page of the playground to a whole document. */
export type RenderPage = <Name extends PageName>(name: Name, model: PageModels[Name]) => string;

const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

function span(from: Date, to: Date): string {
  const seconds = Math.round((to.getTime() - from.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 3) return 'just now';
  const steps: readonly [number, string][] = [
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const [unit, word] = steps.find(([length]) => size >= length * 2) ?? [1, 'second'];
  const count = Math.floor(size / unit);
  const text = `${count} ${word}${count === 1 ? '' : 's'}`;
  return seconds >= 0 ? `in ${text}` : `${text} ago`;
}

const functions = {
  icon,
  requestText,
  responseText,
  curlOf,
  span,
  timeText: (date: Date): string => `${dateTime.format(date)} UTC`,
};
const names = [...Object.keys(functions), 'model', 'page', 'site', 'asset'];

/** Compiles the views of `views/playground` on first use; each page stands inside `frame.ejs`. */
export function createPageRenderer(options: {
  readonly viewsDir: string;
  readonly assets: Assets;
  readonly issuer: string;
  readonly clients: PlaygroundClients;
}): RenderPage {
  const { viewsDir, assets, issuer, clients } = options;
  const site = { issuer, device: clients.device !== undefined, machine: clients.machine !== undefined };
  const compiled = new Map<string, TemplateFunction>();

  function template(view: string): TemplateFunction {
    const filename = join(viewsDir, 'playground', `${view}.ejs`);
    const made =
      compiled.get(view) ??
      ejs.compile(readFileSync(filename, 'utf8'), { filename, cache: true, strict: true, destructuredLocals: names });
    compiled.set(view, made);
    return made;
  }

  return (name, model) => {
    const page = { name, title: '', flow: 'person', ids: 0 };
    const locals = { ...functions, model, page, site, asset: assets.url };
    const body = template(name)(locals);
    return template('frame')({ ...locals, body });
  };
}
