import { Controller, ForbiddenException, Headers, HttpCode, Post, Query } from '@nestjs/common';
import { AclDenial } from 'fenceline';
import { placeOrder } from '../actions.ts';
import { logOut } from '../shop.ts';

@Controller()
export class OrdersController {
  @Post('orders')
  place(@Headers('cookie') cookies: string, @Query('key') key: string, @Query('step') step: string) {
    return placeOrder(cookies, key, step).catch(refuse);
  }

  @Post('logout')
  @HttpCode(204)
  logOut(@Headers('cookie') cookies: string) {
    return logOut(cookies).catch(refuse);
  }
}

function refuse(error: unknown): never {
  throw error instanceof AclDenial ? new ForbiddenException() : error;
}
