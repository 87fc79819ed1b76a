import { expect } from './panel';

/** One request to the server, beside the page; a text goes as it is, all else as JSON. */
export function askJupyter(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {}
): Promise<Response> {
  const { SLURMDASH_URL: url, SLURMDASH_TOKEN: token } = process.env;
  return fetch(`${url}${path}`, {
    method,
    headers: {
      Authorization: `token ${token}`,
      'Content-Type': 'application/json',
      ...headers
    },
    body: typeof body === 'string' ? body : JSON.stringify(body)
  });
}

/** One request to the panel's own API. A refusal is an answer too. */
export function ask(
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>
): Promise<Response> {
  return askJupyter(method, `slurmdash/api/${path}`, body, headers);
}

/** The same where a refusal is a failure, which says what the server said. */
export async function asked(
  ...request: Parameters<typeof ask>
): Promise<Response> {
  const answer = await ask(...request);
  expect(answer.ok, await answer.clone().text()).toBe(true);
  return answer;
}
