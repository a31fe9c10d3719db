// Devices: which browsers an account has signed in with, and which need no second factor for a while. Owns tables
// `known_device` and `remembered_device`. It sets no cookie (web/ does) and ends no session (sessions/ does). Needs: audit.
export { type DeviceDescription, type DeviceType, describeDevice, deviceText } from './describe-device.ts';
export { type DeviceMeta, type Forgetting, hashDevice, type KnownDevice, type RememberedDevice } from './device.ts';
export type { DeviceStore } from './device-store.ts';
export { createDevices, type Devices } from './devices.ts';
export type { KnownDevices } from './known-devices.ts';
export type { RememberedDevices, RememberedUse } from './remembered-devices.ts';
export type { RememberedStore } from './remembered-store.ts';
