import type { TranslationBundle } from '@jupyterlab/translation';

import type { TemplateSummary } from '../../api/types';

/** A category in words. */
export function categoryName(
  trans: TranslationBundle,
  category: string
): string {
  switch (category) {
    case 'ml':
      return trans.__('Machine learning');
    case 'cfd':
      return trans.__('Fluid dynamics');
    case 'structural':
      return trans.__('Structural analysis');
    case 'molecular':
      return trans.__('Molecular dynamics');
    case 'data':
      return trans.__('Data');
    case 'custom':
      return trans.__('General');
    default:
      return category;
  }
}

/** A shelf in words. */
export function sourceName(
  trans: TranslationBundle,
  source: TemplateSummary['source']
): string {
  switch (source) {
    case 'community':
      return trans.__('community');
    case 'private':
      return trans.__('yours');
    case 'archived':
      return trans.__('archived');
    default:
      return trans.__('official');
  }
}
