import { besiege, onLocalhost } from './siege.ts';
import { stepDoors } from './step-doors.ts';

besiege('hostile requests at the later steps of a sign-in', {
  doors: stepDoors,
  env: async () => ({
    ...(await onLocalhost()),
    SALLYPORT_EMAIL_SIGN_IN: 'code',
    SALLYPORT_LIMIT_MAIL_REQUESTS: '1000000',
  }),
});
