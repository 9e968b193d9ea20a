import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.ts';

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000));
