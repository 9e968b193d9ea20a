import * as all from '../../server.mjs';
import { tryOut } from '../../try-out.mjs';

export const dynamic = 'force-dynamic';

export async function GET() {
  await tryOut(all);
  return new Response('ran');
}
