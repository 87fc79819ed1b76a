import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EmptyNote } from '../../components/EmptyNote';

/** The body of the "New job" section. */
export function NewJobView({
  trans
}: {
  trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <EmptyNote>
      {trans.__('Choose a template and an image, drop your files, and submit.')}
    </EmptyNote>
  );
}
