import { Module } from '@nestjs/common';
import { EventsModule } from './events.module.ts';
import { OrdersController } from './orders.controller.ts';

@Module({ imports: [EventsModule], controllers: [OrdersController] })
export class AppModule {}
