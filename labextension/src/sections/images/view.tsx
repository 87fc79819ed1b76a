import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EmptyNote } from '../../components/EmptyNote';

/** The body of the "Images" section. */
export function ImagesView({
  trans
}: {
  trans: TranslationBundle;
}): React.JSX.Element {
  return <EmptyNote>{trans.__('No images found yet.')}</EmptyNote>;
}
