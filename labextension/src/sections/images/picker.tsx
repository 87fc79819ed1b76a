import * as React from 'react';

import type { ImageFacts } from '../../components/imageindex';
import { ImagePicker } from '../../components/ImagePicker';
import { ReactSection } from '../../components/ReactSection';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { Observable } from '../../observable';
import type { ISectionOptions } from '../../types';

/** What a notebook's widget knows. */
export interface IPickerState {
  images: ReadonlyArray<ImageFacts>;
  value: string;
  recent: ReadonlyArray<string>;
  partition: string;
  description: string;
  disabled: boolean;
}

/** The picker's state, wherever it comes from. */
export class PickerModel extends Observable {
  state: IPickerState = {
    images: [],
    value: '',
    recent: [],
    partition: '',
    description: '',
    disabled: false
  };

  set(change: Partial<IPickerState>): void {
    this.state = { ...this.state, ...change };
    this.notify();
  }
}

/** The panel's image field in a notebook's output. */
export class ImagePickerSection extends ReactSection {
  constructor(options: ImagePickerSection.IOptions) {
    super(options);
    this._options = options;
    this.addClass('jp-slurmdash-Widget');
  }

  protected override view(): React.JSX.Element {
    const { model, onChange } = this._options;
    return <PickerView model={model} onChange={onChange} />;
  }

  private readonly _options: ImagePickerSection.IOptions;
}

export namespace ImagePickerSection {
  export interface IOptions extends ISectionOptions {
    model: PickerModel;
    /** The id of the chosen image, or an empty string. */
    onChange: (id: string) => void;
  }
}

function PickerView({
  model,
  onChange
}: {
  model: PickerModel;
  onChange: (id: string) => void;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const { images, value, recent, partition, description } = model.state;
  return (
    <ImagePicker
      label={description || trans.__('Image')}
      images={images}
      value={value || null}
      recent={recent}
      partition={partition}
      narrow
      inline
      placeholder={trans.__('No image')}
      emptyText={trans.__(
        'No images found yet. Scan the nodes to look for them.'
      )}
      testId="slurmdash-widget-image"
      optionTestId="slurmdash-widget-option"
      onChange={id => onChange(id ?? '')}
    />
  );
}
