import { index, route, type RouteConfig } from '@react-router/dev/routes';

export default [
  index('routes/home.tsx'),
  route('events', 'routes/events.ts'),
  route('orders', 'routes/orders.ts'),
  route('logout', 'routes/logout.ts'),
] satisfies RouteConfig;
