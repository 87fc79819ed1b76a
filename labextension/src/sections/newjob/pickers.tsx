import * as React from 'react';

import type { Image, TemplateSummary } from '../../api/types';
import { Combobox } from '../../components/Combobox';
import { SelectField } from '../../components/Field';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { imageBadges } from '../../text';
import type { IChoice } from '../../types';
import type { NewJobModel } from './model';

/** Which template; those used lately come first. */
export function TemplateField({
  model
}: {
  model: NewJobModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { items } = model.templates;
  const { recentTemplates } = model;
  const choices = React.useMemo(
    () =>
      recentFirst(items, recentTemplates).map((item): IChoice => ({
        id: item.id,
        label: item.display_name || item.name || item.id,
        detail: item.description || item.category,
        keywords: [item.category, item.name, ...item.tags].join(' '),
        problem: item.problem?.message
      })),
    [items, recentTemplates]
  );
  const { template } = model;
  return (
    <>
      <Combobox
        label={trans.__('Template')}
        choices={choices}
        value={model.draft.templateId}
        clearable
        placeholder={trans.__('Choose a template')}
        emptyText={
          model.templates.loaded
            ? trans.__('There are no templates yet.')
            : trans.__('Loading…')
        }
        testId="slurmdash-template-select"
        optionTestId="slurmdash-template-option"
        pointer="/template_id"
        error={model.messages('error').get('/template_id')}
        hint={
          template?.description ? (
            <div className="jp-slurmdash-Clamp" title={template.description}>
              {template.description}
            </div>
          ) : undefined
        }
        onChange={id => void model.selectTemplate(id)}
      />
      {model.templateError ? <ErrorNote error={model.templateError} /> : null}
    </>
  );
}

/** Which image; the template's own when none is chosen. */
export function ImageField({
  model
}: {
  model: NewJobModel;
}): React.JSX.Element {
  const trans = useTrans();
  const { items } = model.images;
  const { recentImages, partition } = model;
  const choices = React.useMemo(
    () =>
      recentFirst(items, recentImages).map((image): IChoice => ({
        id: image.id,
        label: image.name,
        detail: imageDetail(image),
        keywords: [image.path, ...image.apps, ...image.partitions].join(' '),
        problem:
          image.problem ??
          (image.is_active ? undefined : trans.__('No longer there')),
        badges: [
          ...imageBadges(image),
          trans._n('on %1 node', 'on %1 nodes', image.nodes.length)
        ]
      })),
    [items, recentImages, trans]
  );
  const wanted = model.template?.apptainer.image_name;
  const image = model.image ?? model.templateImage;
  const facts = image
    ? [
        image.nodes.length === 1
          ? image.nodes[0]
          : trans._n('on %1 node', 'on %1 nodes', image.nodes.length),
        image.signature === 'unsigned'
          ? trans.__('unsigned')
          : trans.__('signed'),
        image.version,
        image.description
      ].filter(Boolean)
    : [];
  const missing =
    image &&
    partition &&
    !image.nodes.some(node => partition.nodes.includes(node))
      ? undefined
      : model.messages('warning').get('/image_id');
  return (
    <Combobox
      label={trans.__('Image')}
      choices={choices}
      value={model.draft.imageId}
      clearable
      placeholder={
        wanted
          ? trans.__('%1 (from the template)', wanted)
          : trans.__('None: runs on the node itself')
      }
      emptyText={
        model.images.loaded
          ? trans.__('No images found yet. Scan the nodes to look for them.')
          : trans.__('Loading…')
      }
      testId="slurmdash-image-select"
      optionTestId="slurmdash-image-option"
      pointer="/image_id"
      error={model.messages('error').get('/image_id')}
      warning={missing}
      hint={facts.join(' · ')}
      onChange={id => model.selectImage(id)}
    />
  );
}

/** Which of the image's apps, where it has any. */
export function AppField({ model }: { model: NewJobModel }): React.ReactNode {
  const trans = useTrans();
  const { apps } = model;
  if (apps.length === 0) {
    return null;
  }
  const own = model.template?.apptainer.app;
  const chosen = model.draft.app ?? '';
  return (
    <SelectField
      label={trans.__('App')}
      value={chosen}
      testId="slurmdash-app-select"
      pointer="/app"
      error={model.messages('error').get('/app')}
      options={[
        {
          value: '',
          label: own
            ? trans.__('%1 (from the template)', own)
            : trans.__('The image’s own start')
        },
        ...(chosen && !apps.includes(chosen) ? [chosen, ...apps] : apps).map(
          app => ({ value: app, label: app })
        )
      ]}
      onChange={app => model.setApp(app)}
    />
  );
}

function imageDetail(image: Image): string {
  return [image.description, image.partitions.join(', ')]
    .filter(Boolean)
    .join(' · ');
}

function recentFirst<T extends Image | TemplateSummary>(
  items: ReadonlyArray<T>,
  recent: ReadonlyArray<string>
): T[] {
  const at = (id: string) => {
    const found = recent.indexOf(id);
    return found < 0 ? recent.length : found;
  };
  return [...items].sort((one, other) => at(one.id) - at(other.id));
}
