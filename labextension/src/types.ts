import type { ITranslator } from '@jupyterlab/translation';

/** What every section of the panel is made of. */
export interface ISectionOptions {
  /** The strings in the user's language. */
  translator: ITranslator;
}
