import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EmptyNote } from '../../components/EmptyNote';

/** The body of the "Jobs" section. */
export function JobsView({
  trans
}: {
  trans: TranslationBundle;
}): React.JSX.Element {
  return <EmptyNote>{trans.__('No jobs yet. Submit one above.')}</EmptyNote>;
}
