import type { Express } from 'express';

export { createChannel, createSession } from 'better-sse';
export declare const app: Express;
