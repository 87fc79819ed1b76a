import {
  nullTranslator,
  type ITranslator,
  type TranslationBundle
} from '@jupyterlab/translation';

/** The gettext domain of every string of this extension. */
export const TEXT_DOMAIN = 'jupyter_slurmdash';

/** The strings of this extension in the user's language; English without a translator. */
export function loadText(translator?: ITranslator | null): TranslationBundle {
  return (translator ?? nullTranslator).load(TEXT_DOMAIN);
}
