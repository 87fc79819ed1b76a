// What JupyterLab's packages expect of a browser and jsdom does not have.

class ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

global.ResizeObserver ??= ResizeObserver;
global.DragEvent ??= class DragEvent extends window.MouseEvent {};
global.TextEncoder ??= require('util').TextEncoder;
global.TextDecoder ??= require('util').TextDecoder;
global.fetch ??= () =>
  Promise.reject(new TypeError('There is no network here'));
global.Request ??= class Request {};
global.structuredClone ??= value => JSON.parse(JSON.stringify(value));
window.matchMedia ??= query => ({
  matches: false,
  media: query,
  addEventListener() {},
  removeEventListener() {},
  addListener() {},
  removeListener() {}
});
window.requestIdleCallback ??= callback => setTimeout(callback, 0);
window.cancelIdleCallback ??= handle => clearTimeout(handle);
if (!navigator.clipboard) {
  Object.defineProperty(navigator, 'clipboard', { value: {} });
}
