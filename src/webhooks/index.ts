// Webhooks: what operators' programs are told of, as signed posts (Standard Webhooks), at least once and within a day.
// Owns tables `webhook_endpoint` and `webhook_delivery`. It has an outbox of its own: that of notifications counts by
// recipient and seals what a person reads, this one fans out by endpoint and rests while one is away. Needs: audit, outgoing.
export { type DeliveryPolicy, deliveryPolicy } from './deliver.ts';
export type { Delivery, DeliveryOutcome, DeliveryStore } from './delivery-store.ts';
export { createDeliveryTraces } from './delivery-traces.ts';
export type { Endpoint, NewEndpoint } from './endpoint.ts';
export type { EndpointStore } from './endpoint-store.ts';
export { type EventShape, testEventType, type WebhookEventType, webhookEvents } from './event.ts';
export { createWebhooks, type Webhooks } from './webhooks.ts';
