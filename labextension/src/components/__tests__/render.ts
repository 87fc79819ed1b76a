import * as React from 'react';
import { createRoot } from 'react-dom/client';

(globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;

/** An element in the page, drawn again with `update`. */
export function draw(element: React.ReactElement) {
  const host = document.createElement('div');
  document.body.append(host);
  const root = createRoot(host);
  const update = (next: React.ReactElement) =>
    React.act(() => root.render(next));
  update(element);
  return {
    host,
    update,
    get: <T extends HTMLElement>(id: string) =>
      host.querySelector<T>(`[data-testid="${id}"]`)!,
    remove: () => {
      React.act(() => root.unmount());
      host.remove();
    }
  };
}

/** Type into a box, as React hears it. */
export function type(box: HTMLInputElement, text: string): void {
  const set = Object.getOwnPropertyDescriptor(
    HTMLInputElement.prototype,
    'value'
  )!.set!;
  React.act(() => {
    set.call(box, text);
    box.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

export function press(target: Element, key: string): void {
  React.act(() => {
    target.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
    );
  });
}

export function click(target: Element): void {
  React.act(() => {
    target.dispatchEvent(
      new MouseEvent('click', { bubbles: true, cancelable: true })
    );
  });
}

/** What is copied from now on, without `navigator.clipboard`: pages of plain http have none. */
export function hearCopies(): string[] {
  const copies: string[] = [];
  const clipboardData = {
    setData: (_: string, text: string) => copies.push(text)
  };
  document.execCommand = command =>
    document.body.dispatchEvent(
      Object.assign(new Event(command), { clipboardData })
    );
  return copies;
}
