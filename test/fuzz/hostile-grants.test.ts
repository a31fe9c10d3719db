import { grantDoors } from './grant-doors.ts';
import { besiege } from './siege.ts';

besiege('hostile requests at exchanges, devices, challenges and status lists', { doors: grantDoors });
