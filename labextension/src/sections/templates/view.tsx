import { errorIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { TemplateSummary } from '../../api/types';
import { Badge } from '../../components/Badge';
import { EmptyNote, ErrorNote } from '../../components/Notes';
import { SearchBox } from '../../components/SearchBox';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { nameOf, type TemplatesModel } from './model';

/** The library: search, categories, and a click that takes a template into the form. */
export function TemplatesView({
  model,
  onUse
}: {
  model: TemplatesModel;
  onUse: (id: string) => void;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const { shelves } = model;
  return (
    <>
      <SearchBox
        label={trans.__('Search templates')}
        value={model.query}
        onChange={query => model.setQuery(query)}
        testId="slurmdash-templates-search"
      />
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {model.loaded && !model.error && shelves.length === 0 && (
        <EmptyNote>
          {model.query
            ? trans.__('No template matches “%1”.', model.query)
            : trans.__('There are no templates yet.')}
        </EmptyNote>
      )}
      {shelves.map(({ category, templates }) => (
        <section key={category} className="jp-slurmdash-Shelf">
          <h3>
            {categoryName(trans, category)}
            <span className="jp-slurmdash-Count">{templates.length}</span>
          </h3>
          <ul className="jp-slurmdash-List">
            {templates.map(template => (
              <TemplateRow
                key={template.id}
                template={template}
                onUse={onUse}
              />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function TemplateRow({
  template,
  onUse
}: {
  template: TemplateSummary;
  onUse: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { problem } = template;
  if (problem) {
    return (
      <li
        className="jp-slurmdash-Row jp-mod-broken"
        data-testid={`slurmdash-template-${template.id}`}
      >
        <div className="jp-slurmdash-Row-head">
          <errorIcon.react
            tag="span"
            className="jp-slurmdash-StateIcon jp-mod-failed"
            aria-hidden="true"
          />
          <span className="jp-slurmdash-Row-name">{nameOf(template)}</span>
          <Badge kind="warning">{trans.__('broken')}</Badge>
        </div>
        <div className="jp-slurmdash-Row-detail">
          {problem.line
            ? trans.__(
                'Line %1, column %2: %3',
                problem.line,
                problem.column,
                problem.message
              )
            : problem.message}
        </div>
      </li>
    );
  }
  return (
    <li>
      <button
        type="button"
        className="jp-slurmdash-Row"
        title={trans.__('Use %1 in the new job', nameOf(template))}
        data-testid={`slurmdash-template-${template.id}`}
        onClick={() => onUse(template.id)}
      >
        <span className="jp-slurmdash-Row-head">
          <span className="jp-slurmdash-Row-name">{nameOf(template)}</span>
          {template.source !== 'official' && (
            <Badge>{sourceName(trans, template.source)}</Badge>
          )}
          <span className="jp-slurmdash-Row-side">{template.version}</span>
        </span>
        {template.description && (
          <span className="jp-slurmdash-Row-detail">
            {template.description}
          </span>
        )}
      </button>
    </li>
  );
}

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

function sourceName(
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
