import * as React from 'react';

import { useHeldFocus } from '../heldfocus';
import { draw } from './render';

function Box({ ids }: { ids: string[] }): React.JSX.Element {
  const box = React.useRef<HTMLDivElement>(null);
  const held = useHeldFocus(box, near => near.querySelector('button'));
  return (
    <div ref={box} {...held}>
      <button>first</button>
      {ids.map(id => (
        <section key={id}>
          <button>{id}</button>
          {id === 'a' && <p data-testid="rest" tabIndex={-1} />}
        </section>
      ))}
    </div>
  );
}

function setup() {
  const page = draw(<Box ids={['a', 'b']} />);
  const focused = () => document.activeElement?.textContent;
  const focus = (text: string) =>
    React.act(() =>
      [...page.host.querySelectorAll('button')]
        .find(({ textContent }) => textContent === text)!
        .focus()
    );
  return { ...page, focus, focused };
}

it('hands the focus of what is taken away to what is around it', () => {
  const { update, focus, focused, remove } = setup();
  focus('b');
  update(<Box ids={['a']} />);
  expect(focused()).toBe('first');
  remove();
});

it('leaves a focus alone that is elsewhere, or where it was put', () => {
  const { update, focus, get, remove } = setup();
  focus('b');
  React.act(() => get('rest').focus());
  update(<Box ids={['a']} />);
  expect(document.activeElement).toBe(get('rest'));
  React.act(() => get('rest').blur());
  update(<Box ids={[]} />);
  expect(document.activeElement).toBe(document.body);
  remove();
});
