import * as React from 'react';

import type { Image, TemplateSummary } from '../../api/types';
import { Combobox } from '../../components/Combobox';
import { SelectField } from '../../components/Field';
import { isShared } from '../../components/imageindex';
import { placeWord, SignatureMark } from '../../components/ImageMarks';
import { ImagePicker } from '../../components/ImagePicker';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
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
      {model.templateError ? (
        <ErrorNote
          error={model.templateError}
          onRetry={() => model.refresh()}
        />
      ) : null}
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
  const { recentImages, partition } = model;
  const wanted = model.template?.apptainer.image_name;
  const image = model.image ?? model.templateImage;
  return (
    <ImagePicker
      label={trans.__('Image')}
      images={model.images.items}
      value={model.draft.imageId}
      recent={recentImages}
      partition={partition?.name}
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
      warning={model.messages('warning').get('/image_id')}
      hint={image ? <ImageHint image={image} /> : undefined}
      onChange={id => model.selectImage(id)}
    />
  );
}

/** The chosen image in a line. */
function ImageHint({ image }: { image: Image }): React.JSX.Element {
  const trans = useTrans();
  return (
    <span className="jp-slurmdash-ImageHint">
      <SignatureMark signature={image.signature} />
      <span>
        {[
          image.nodes.length === 1 && !isShared(image)
            ? image.nodes[0]
            : placeWord(trans, image),
          image.version,
          image.description
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
    </span>
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

function recentFirst(
  items: ReadonlyArray<TemplateSummary>,
  recent: ReadonlyArray<string>
): TemplateSummary[] {
  const at = (id: string) => {
    const found = recent.indexOf(id);
    return found < 0 ? recent.length : found;
  };
  return [...items].sort((one, other) => at(one.id) - at(other.id));
}
