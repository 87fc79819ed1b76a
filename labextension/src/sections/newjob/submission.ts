import type { SlurmClient } from '../../api/client';
import type { Job, JobSubmit } from '../../api/types';
import { Problem } from '../../problem';

/** Milliseconds before the submission is asked for again when no answer came. */
const RETRIES = [1000, 3000];

/** Submit once, however often the answer is lost: the key makes asking again safe. */
export async function submitOnce(options: {
  client: Pick<SlurmClient, 'submitJob'>;
  body: JobSubmit;
  key: string;
  sleep: (ms: number) => Promise<unknown>;
}): Promise<Job> {
  const { client, body, key, sleep } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.submitJob(body, key);
    } catch (error) {
      const lost = error instanceof Problem && error.code === 'network';
      if (!lost || attempt >= RETRIES.length) {
        throw error;
      }
      await sleep(RETRIES[attempt]);
    }
  }
}

/** The server understood and said no; nothing was submitted. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status >= 400 && error.status < 500;
}
