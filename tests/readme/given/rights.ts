import type { Express, Request } from 'express';
import { defineRights, defineTopics, type Acl, type EventBroker } from 'fenceline';

export { Acl, AclDenial, AclResolver, defineTopics, EventBroker, MemoryAclStore, payloadOf } from 'fenceline';
export type { Claims, Event } from 'fenceline';
export { eventStreamHandler } from 'fenceline/http';
export type { Request } from 'express';

export interface Order {
  readonly owner: string;
}
export interface User {
  readonly id: string;
  readonly tenants: readonly string[];
  readonly session: { readonly endsAt: number };
}
export const rights = defineRights({
  namespace: { capabilities: ['read-orders', 'read-audit'], levels: { read: ['read-orders'] } },
});
export const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' } } }, { rights });
export declare const app: Express;
export declare const user: User;
export declare const rules: readonly { readonly namespace: Record<string, { readonly policy: 'read' }> }[];
export declare const broker: EventBroker;
export declare const db: { readonly roles: { remove(user: string, tenant: string): Promise<void> } };
export declare function userOf(request: Request): Promise<User | undefined>;
export declare function tenantOf(request: unknown): string;
export declare function aclOf(request: unknown): Promise<Acl>;
