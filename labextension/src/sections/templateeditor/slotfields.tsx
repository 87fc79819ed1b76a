import * as React from 'react';

import { useTrans } from '../../components/trans';
import { readSlots, slotPointers, writeSlots, type ISlot } from './document';
import { Choice, FormContext, Json, Line, Lines } from './fields';

/** What is said of one file that the template asks for. */
export function SlotFields({
  pointer,
  slot
}: {
  pointer: string;
  slot: ISlot;
}): React.JSX.Element {
  const trans = useTrans();
  const form = React.useContext(FormContext);
  const { doc, edit } = form;
  const slots = readSlots(doc);
  const at = slotPointers(doc).indexOf(pointer);
  // The fields know the slot alone; its place in the file is ours.
  const own = {
    doc: slot.value,
    edit: (value: ISlot['value']) =>
      edit(
        writeSlots(
          doc,
          slots.map((each, index) => (index === at ? { ...each, value } : each))
        )
      ),
    errors: new Map(
      [...form.errors]
        .filter(([place]) => place.startsWith(`${pointer}/`))
        .map(([place, message]) => [place.slice(pointer.length), message])
    )
  };
  const deep = ['description', 'format', 'schema', 'validation'].some(
    name => slot.value[name] !== undefined
  );
  return (
    <FormContext.Provider value={own}>
      <div className="jp-slurmdash-Grid">
        <Line path={['name']} label={trans.__('Name')} required />
        <Line
          path={['pattern']}
          label={trans.__('File names')}
          placeholder="*.py"
          required
        />
        <Choice
          path={['type']}
          label={trans.__('Type')}
          options={['data', 'config', 'code', 'model']}
        />
        <Line
          path={['max_size']}
          label={trans.__('Largest size')}
          kind="size"
          placeholder="10MB"
        />
      </div>
      <details open={deep && slot.kind === 'config' ? true : undefined}>
        <summary>{trans.__('Help and content')}</summary>
        <Lines path={['description']} label={trans.__('Help')} rows={1} />
        <div className="jp-slurmdash-Grid">
          <Choice
            path={['format']}
            label={trans.__('Format')}
            options={['json', 'yaml', 'toml', 'ini', 'xml', 'csv', 'text']}
          />
          <Line path={['validation']} label={trans.__('Check')} />
        </div>
        <Json
          path={['schema']}
          label={trans.__('JSON Schema of the content')}
        />
      </details>
    </FormContext.Provider>
  );
}
