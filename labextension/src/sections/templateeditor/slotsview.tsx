import {
  addIcon,
  caretDownIcon,
  caretUpIcon,
  deleteIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Button, IconButton } from '../../components/Buttons';
import { Select } from '../../components/Field';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import {
  freeName,
  moveSlot,
  readSlots,
  shown,
  slotPointers,
  writeSlots,
  type ISlot
} from './document';
import { FormContext } from './fields';
import { SlotFields } from './slotfields';

const GROUPS = [
  ['input', true],
  ['input', false],
  ['config', true],
  ['config', false]
] as const;

/** Which files the template asks for: add, remove, and put in order by drag or by keys. */
export function SlotsPart(): React.JSX.Element {
  const trans = useTrans();
  const { doc, edit } = React.useContext(FormContext);
  const slots = readSlots(doc);
  const pointers = slotPointers(doc);
  const [dragged, setDragged] = React.useState<number | null>(null);
  const [over, setOver] = React.useState<number | null>(null);
  const [said, setSaid] = React.useState('');
  const list = React.useRef<HTMLOListElement>(null);
  const put = (next: readonly ISlot[]) => edit(writeSlots(doc, next));
  const move = (from: number, to: number) => {
    if (to >= 0 && to < slots.length) {
      put(moveSlot(slots, from, to));
      setSaid(
        trans.__('%1 is now number %2.', shown(slots[from].value.name), to + 1)
      );
    }
  };
  const add = () => {
    const name = freeName(
      'file',
      slots.map(({ value }) => shown(value.name))
    );
    const value = { name, pattern: '*', type: 'data' };
    put([...slots, { kind: 'input', required: true, value }]);
    requestAnimationFrame(() =>
      list.current
        ?.querySelector<HTMLInputElement>(`[data-slot="${name}"] input`)
        ?.select()
    );
  };
  return (
    <Part
      title={trans.__('Files')}
      side={
        <Button small data-testid="slurmdash-slot-add" onClick={add}>
          <addIcon.react tag="span" className="jp-slurmdash-Icon" />
          {trans.__('Add a file')}
        </Button>
      }
    >
      {slots.length === 0 && (
        <p className="jp-slurmdash-Quiet">
          {trans.__('The template asks for no files.')}
        </p>
      )}
      <ol ref={list} className="jp-slurmdash-Slots">
        {slots.map((slot, at) => (
          <li
            key={pointers[at]}
            data-slot={shown(slot.value.name)}
            className={`jp-slurmdash-SlotCard ${over === at && dragged !== at ? 'jp-mod-over' : ''} ${dragged === at ? 'jp-mod-dragged' : ''}`}
            data-testid={`slurmdash-slotcard-${at}`}
            onDragOver={event => {
              if (dragged !== null) {
                event.preventDefault();
                setOver(at);
              }
            }}
            onDrop={event => {
              event.preventDefault();
              if (dragged !== null) {
                move(dragged, at);
              }
              setDragged(null);
              setOver(null);
            }}
          >
            <SlotHead
              slot={slot}
              at={at}
              count={slots.length}
              onMove={to => {
                move(at, to);
                // The focus stays with the slot, wherever it is now.
                requestAnimationFrame(() =>
                  list.current?.children[to]
                    ?.querySelector<HTMLElement>(
                      to > at ? '[data-act="down"]' : '[data-act="up"]'
                    )
                    ?.focus()
                );
              }}
              onRemove={() => put(slots.filter((_, each) => each !== at))}
              onGroup={({ kind, required }) =>
                put(
                  slots.map((each, index) =>
                    index === at ? { ...each, kind, required } : each
                  )
                )
              }
              onDrag={active => {
                setDragged(active ? at : null);
                setOver(null);
              }}
            />
            <SlotFields pointer={pointers[at]} slot={slot} />
          </li>
        ))}
      </ol>
      <span className="jp-slurmdash-Hidden" role="status">
        {said}
      </span>
    </Part>
  );
}

function SlotHead({
  slot,
  at,
  count,
  onMove,
  onRemove,
  onGroup,
  onDrag
}: {
  slot: ISlot;
  at: number;
  count: number;
  onMove: (to: number) => void;
  onRemove: () => void;
  onGroup: (group: Pick<ISlot, 'kind' | 'required'>) => void;
  onDrag: (active: boolean) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const name = shown(slot.value.name);
  return (
    <div className="jp-slurmdash-SlotCard-head">
      <span
        className="jp-slurmdash-Grip"
        draggable
        aria-hidden="true"
        title={trans.__('Drag to another place')}
        data-testid={`slurmdash-slot-grip-${at}`}
        onDragStart={event => {
          event.dataTransfer.effectAllowed = 'move';
          event.dataTransfer.setData('text/plain', name);
          onDrag(true);
        }}
        onDragEnd={() => onDrag(false)}
      >
        ⠿
      </span>
      <b className="jp-slurmdash-SlotCard-name">{name}</b>
      <Select
        aria-label={trans.__('Kind of %1', name)}
        data-testid={`slurmdash-slot-group-${at}`}
        value={`${slot.kind} ${slot.required}`}
        options={GROUPS.map(([kind, required]) => ({
          value: `${kind} ${required}`,
          label: groupName(trans, kind, required)
        }))}
        onChange={event => {
          const [kind, required] = event.target.value.split(' ');
          onGroup({
            kind: kind as ISlot['kind'],
            required: required === 'true'
          });
        }}
      />
      <IconButton
        icon={caretUpIcon}
        label={trans.__('Move %1 up', name)}
        data-act="up"
        data-testid={`slurmdash-slot-up-${at}`}
        aria-disabled={at === 0}
        onClick={() => onMove(at - 1)}
      />
      <IconButton
        icon={caretDownIcon}
        label={trans.__('Move %1 down', name)}
        data-act="down"
        data-testid={`slurmdash-slot-down-${at}`}
        aria-disabled={at === count - 1}
        onClick={() => onMove(at + 1)}
      />
      <IconButton
        icon={deleteIcon}
        label={trans.__('Remove %1', name)}
        data-testid={`slurmdash-slot-remove-${at}`}
        onClick={() => onRemove()}
      />
    </div>
  );
}

function groupName(
  trans: TranslationBundle,
  kind: ISlot['kind'],
  required: boolean
): string {
  if (kind === 'config') {
    return required
      ? trans.__('Configuration, required')
      : trans.__('Configuration, optional');
  }
  return required ? trans.__('Input, required') : trans.__('Input, optional');
}
