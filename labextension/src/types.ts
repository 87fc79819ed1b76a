import type { ITranslator } from '@jupyterlab/translation';

/** What every section of the panel is made of. */
export interface ISectionOptions {
  /** The strings in the user's language. */
  translator: ITranslator;
}

/** One thing to choose from a long list. */
export interface IChoice {
  id: string;
  label: string;
  /** A second line: what tells it from the others. */
  detail?: string;
  /** More words to find it by. */
  keywords?: string;
  /** Why it cannot be chosen. */
  problem?: string;
  badges?: string[];
}
