import { createClient, createPerson } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import type { RunningApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';
import { type Door, redirectUri } from './doors.ts';
import { Stages } from './stages.ts';

const attribute = (tag: string, name: string): string | undefined => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];

/** What is filled in where the page leaves a field empty. */
const honest: Readonly<Record<string, string>> = { csrf: '{csrf}', 'current-password': '{password}', code: '000000' };

/** The forms of a page, each as a door. Signing out is not one: it would only end the stage. */
function formsOf(html: string, path: string): Door[] {
  const forms = [...html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)];
  return forms
    .filter(([, open = '']) => attribute(open, 'method') === 'post' && !/logout/.test(open))
    .map(([, open = '', inner = '']) => {
      const fields = new Map<string, string>();
      for (const [tag] of inner.matchAll(/<(?:input|button|select|textarea)\b[^>]*>/g)) {
        const name = attribute(tag, 'name');
        if (name === undefined || fields.has(name)) continue;
        fields.set(name, honest[name] ?? encodeURIComponent(attribute(tag, 'value') || 'x'));
      }
      const [target = path] = (attribute(open, 'action') || path).split('?');
      return { path: target, query: [['done', 'x']], form: [...fields], stage: 'account' } as const;
    });
}

/** Every form of the account console that somebody finds by following its links, with a token that is right. */
export async function accountDoors(running: RunningApp): Promise<{ doors: readonly Door[]; stages: Stages }> {
  const web = new WebClient(running.url);
  const doors = new Map<string, Door>();
  await signIn(web, await web.open('/account'), await createPerson(running));
  // By the path alone: pages of a list are one place.
  const places = new Map([['/account', '/account']]);
  for (const [path, address] of places) {
    const { text } = await web.open(address);
    for (const [, href = ''] of text.matchAll(/href="(\/account[^"#]*)/g)) {
      const next = href.replaceAll('&amp;', '&');
      const place = next.replace(/\?.*/, '');
      if (!places.has(place)) places.set(place, next);
    }
    for (const door of formsOf(text, path)) doors.set(`${door.path} ${door.form?.map(([name]) => name)}`, door);
  }
  const { client } = await createClient(running, { kind: 'web', metadata: { redirect_uris: [redirectUri] } });
  return { doors: [...doors.values()], stages: await Stages.create(running, client, client) };
}
