import { nullTranslator } from '@jupyterlab/translation';

import { hearCopies } from '../../../components/__tests__/render';
import type { FilesModel } from '../files';
import { openFileMenu } from '../filesmenu';
import type { IFileRow } from '../filesrows';

/** A key as the menus of Lumino hear it: by its number. */
function press(keyCode: number): void {
  document
    .querySelector('.lm-Menu')!
    .dispatchEvent(new KeyboardEvent('keydown', { keyCode }));
}

it('copies the digest of a file, also on a page of plain http', () => {
  const copies = hearCopies();
  const from = document.createElement('button');
  document.body.append(from);
  openFileMenu(
    nullTranslator.load(''),
    {} as FilesModel,
    { key: 'a.py', state: 'complete', sha256: 'abc' } as IFileRow,
    [],
    { x: 0, y: 0, from }
  );
  const [arrowDown, enter] = [40, 13];
  press(arrowDown);
  press(enter);
  expect(copies).toEqual(['abc']);
  expect(document.activeElement).toBe(from);
  from.remove();
});
