import { PageConfig } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

/** What a request of our own needs, beside JupyterLab's: token and XSRF cookie, as `set` takes them. */
export function authenticate(
  set: (name: string, value: string) => void,
  settings: ServerConnection.ISettings,
  request: XMLHttpRequest | undefined
): void {
  if (settings.token) {
    set('Authorization', `token ${settings.token}`);
  }
  // Read for each request: it may be another after a login in another tab.
  const xsrf = xsrfCookie();
  if (xsrf) {
    set('X-XSRFToken', xsrf);
  }
  if (request && PageConfig.getOption('serverWithCredentials') === 'true') {
    request.withCredentials = true;
  }
}

/** The last `_xsrf` cookie, as the server reads them. */
export function xsrfCookie(cookies: string = document.cookie): string {
  const values = cookies
    .split(';')
    .map(cookie => cookie.trim())
    .filter(cookie => cookie.startsWith('_xsrf='));
  return values.at(-1)?.slice('_xsrf='.length) ?? '';
}
