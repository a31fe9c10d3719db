// Mails and the console call a browser the same, so what reads the header belongs to neither of them.
export { type DeviceDescription, type DeviceType, describeDevice, deviceText } from '../shared/user-agent.ts';
