import { addIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import {
  freeName,
  isMap,
  renamed,
  valueAt,
  withValue,
  type Doc
} from './document';
import { FormContext } from './fields';
import { Parameter, PLACE } from './parametercard';

const BRANCHES = ['if', 'allOf', 'dependentSchemas', 'dependentRequired'];

/** The values that a user fills in: their names, types, limits and help. */
export function ParametersPart(): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit } = React.useContext(FormContext);
  const found = valueAt(doc, PLACE);
  const properties: Doc = isMap(found) ? found : {};
  const whole = valueAt(doc, ['parameters']);
  const listed = valueAt(doc, ['parameters', 'required']);
  const required = Array.isArray(listed) ? listed.map(String) : [];
  const put = (next: Doc, needed: readonly string[]) => {
    const kept = needed.filter(name => name in next);
    if (!Object.keys(next).length) {
      edit(withValue(doc, ['parameters'], undefined));
      return;
    }
    const typedDoc = withValue(doc, ['parameters', 'type'], 'object');
    edit(
      withValue(
        withValue(typedDoc, PLACE, next),
        ['parameters', 'required'],
        kept.length ? kept : undefined
      )
    );
  };
  return (
    <Part
      title={trans.__('Parameters')}
      side={
        <Button
          small
          data-testid="slurmdash-parameter-add"
          onClick={() =>
            put(
              {
                ...properties,
                [freeName('value', Object.keys(properties))]: { type: 'string' }
              },
              required
            )
          }
        >
          <addIcon.react tag="span" className="jp-slurmdash-Icon" />
          {trans.__('Add a parameter')}
        </Button>
      }
    >
      {Object.keys(properties).length === 0 && (
        <p className="jp-slurmdash-Quiet">
          {trans.__('There is nothing to fill in.')}
        </p>
      )}
      {isMap(whole) && BRANCHES.some(word => word in whole) && (
        <p className="jp-slurmdash-Quiet">
          {trans.__(
            'Some fields depend on others; how they do stands in the YAML.'
          )}
        </p>
      )}
      {Object.entries(properties).map(([name, schema], at) => (
        <Parameter
          // Its name changes while it is typed.
          key={at}
          name={name}
          schema={isMap(schema) ? schema : {}}
          taken={Object.keys(properties)}
          required={required.includes(name)}
          onChange={next => put({ ...properties, [name]: next }, required)}
          onRename={to =>
            put(
              renamed(properties, name, to),
              required.map(each => (each === name ? to : each))
            )
          }
          onRequire={on =>
            put(
              properties,
              on ? [...required, name] : required.filter(each => each !== name)
            )
          }
          onRemove={() => {
            put(withValue(properties, [name], undefined), required);
          }}
        />
      ))}
    </Part>
  );
}
