import { serve, TOKEN, type IServer } from '../server';
import { test } from './panel';

/**
 * Give this file a JupyterLab of its own: one that may be killed, or that
 * `furnish` fills before it starts. The tests begin after `ready`.
 */
export function withServer(
  furnish?: (home: string) => string[],
  ready?: () => Promise<void>
): () => IServer {
  const { SLURMDASH_URL, SLURMDASH_TOKEN } = process.env;
  let server: IServer;
  test.beforeAll(async () => {
    test.setTimeout(180_000);
    server = await serve(furnish);
    process.env.SLURMDASH_URL = server.url;
    process.env.SLURMDASH_TOKEN = TOKEN;
    await ready?.();
  });
  test.afterAll(async () => {
    Object.assign(process.env, { SLURMDASH_URL, SLURMDASH_TOKEN });
    await server.stop();
  });
  return () => server;
}
