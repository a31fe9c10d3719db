import type { AccountPage } from './account-pages.ts';
import { createActivityPage } from './activity.ts';
import { createAppsPage } from './apps.ts';
import { createDataPage } from './data.ts';
import { createDeletePage } from './data-delete.ts';
import { createExportPage } from './data-export.ts';
import { createEmailPage } from './email.ts';
import { createProfilePage } from './profile.ts';
import { createSessionsPages } from './sessions.ts';
import { createUsernamePage } from './username.ts';

type DataSurface = Parameters<typeof createProfilePage>[0] &
  Parameters<typeof createEmailPage>[0] &
  Parameters<typeof createUsernamePage>[0] &
  Parameters<typeof createSessionsPages>[0] &
  Parameters<typeof createAppsPage>[0] &
  Parameters<typeof createActivityPage>[0] &
  Parameters<typeof createDataPage>[0] &
  Parameters<typeof createExportPage>[0] &
  Parameters<typeof createDeletePage>[0];

/** The pages about a person's data: who they are, where they are signed in, who may see what, and how it all goes. */
export const dataPages = (surface: DataSurface): readonly AccountPage[] => [
  createProfilePage(surface),
  createEmailPage(surface),
  createUsernamePage(surface),
  ...createSessionsPages(surface),
  createAppsPage(surface),
  createActivityPage(surface),
  createDataPage(surface),
  createExportPage(surface),
  createDeletePage(surface),
];
