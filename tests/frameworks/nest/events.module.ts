import { type BeforeApplicationShutdown, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { EventBroker } from 'fenceline';
import { eventStreamHandler, type NodeRequest } from 'fenceline/http';
import { aclOf, broker } from '../shop.ts';

const stream = eventStreamHandler<NodeRequest>({
  broker,
  acl: (request) => aclOf(request.headers.cookie),
  pin: () => ({ scope: 'allowed' }),
});

@Module({ providers: [{ provide: EventBroker, useValue: broker }], exports: [EventBroker] })
export class EventsModule implements NestModule, BeforeApplicationShutdown {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(stream).forRoutes('events');
  }

  /** Before Nest closes its server, which would wait for the open streams. */
  async beforeApplicationShutdown(): Promise<void> {
    await broker.close({ drainMs: Number(process.env['DRAIN_MS'] ?? 20_000) });
  }
}
