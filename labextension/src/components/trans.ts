import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { loadText } from '../text';

/** The strings of the part of the page that a component stands in. */
export const TransContext = React.createContext<TranslationBundle>(loadText());

/** The strings in the user's language. */
export function useTrans(): TranslationBundle {
  return React.useContext(TransContext);
}
