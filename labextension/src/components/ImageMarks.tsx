import {
  circleEmptyIcon,
  errorIcon,
  historyIcon,
  lockIcon,
  notTrustedIcon,
  trustedIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { formatBytes } from '../text';
import { Badge } from './Badge';
import { isOn, isShared, type ImageFacts, type IImageRow } from './imageindex';
import { useTrans } from './trans';

type Signature = ImageFacts['signature'];

const SIGNATURE_ICONS: Record<Signature, LabIcon> = {
  unsigned: circleEmptyIcon,
  'signed, not verified': lockIcon,
  verified: trustedIcon,
  'unknown key': notTrustedIcon,
  'not valid': errorIcon
};

/** Whether an image is signed, as icon and word. */
export function SignatureMark({
  signature
}: {
  signature: Signature;
}): React.JSX.Element {
  const icon = SIGNATURE_ICONS[signature];
  return (
    <span
      className={`jp-slurmdash-Mark jp-mod-${signature.replace(/\W+/g, '-')}`}
      data-signature={signature}
    >
      <icon.react tag="span" className="jp-slurmdash-Icon" aria-hidden="true" />
      {signatureWord(useTrans(), signature)}
    </span>
  );
}

export function signatureWord(
  trans: TranslationBundle,
  signature: Signature
): string {
  switch (signature) {
    case 'unsigned':
      return trans.__('unsigned');
    case 'verified':
      return trans.__('verified');
    case 'unknown key':
      return trans.__('signed, unknown key');
    case 'not valid':
      return trans.__('signature not valid');
    default:
      return trans.__('signed, not verified');
  }
}

export function typeWord(trans: TranslationBundle, type: string): string {
  switch (type) {
    case 'viz':
      return trans.__('visualization');
    case 'compute':
      return trans.__('compute');
    default:
      return trans.__('custom');
  }
}

/** On how many nodes the image lies. */
export function placeWord(trans: TranslationBundle, image: ImageFacts): string {
  return isShared(image)
    ? trans.__('on all nodes')
    : trans._n('on %1 node', 'on %1 nodes', image.nodes.length);
}

/** Why the image cannot be used at all; empty when it can. */
export function problemOf(trans: TranslationBundle, image: ImageFacts): string {
  return image.problem ?? (image.is_active ? '' : trans.__('No longer there'));
}

/** Characters at the end of a name that are always shown: its version. */
const TAIL = 12;

/** A file's name; where it does not fit the middle is left out, for both ends tell something. */
function ImageName({ name }: { name: string }): React.JSX.Element {
  const letters = [...name];
  if (letters.length < 2 * TAIL) {
    return <span className="jp-slurmdash-Row-name">{name}</span>;
  }
  return (
    <span className="jp-slurmdash-Row-name jp-slurmdash-ImageName" title={name}>
      <span>{letters.slice(0, -TAIL).join('')}</span>
      <span>{letters.slice(-TAIL).join('')}</span>
    </span>
  );
}

/** One image in two lines of fixed height. */
export const ImageLine = React.memo(function ImageLine({
  row: { image, badges, recent, older },
  partition = '',
  chosen = false
}: {
  row: IImageRow;
  /** Where the job shall run, if that is known. */
  partition?: string;
  chosen?: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const problem = problemOf(trans, image);
  const away = !problem && partition && !isOn(image, partition);
  return (
    <div className={`jp-slurmdash-ImageLine ${chosen ? 'jp-mod-chosen' : ''}`}>
      <div className="jp-slurmdash-ImageLine-head">
        {recent && (
          <historyIcon.react
            tag="span"
            className="jp-slurmdash-Icon"
            title={trans.__('Used lately')}
          />
        )}
        <ImageName name={image.name} />
        {badges.map(badge => (
          <Badge key={badge} kind="accent">
            {badge}
          </Badge>
        ))}
        {older > 0 && (
          <Badge
            title={trans._n('%1 older version', '%1 older versions', older)}
          >
            +{older}
          </Badge>
        )}
      </div>
      <div className="jp-slurmdash-ImageLine-facts">
        {problem || away ? (
          <span className="jp-slurmdash-Mark jp-mod-problem">
            <errorIcon.react
              tag="span"
              className="jp-slurmdash-Icon"
              aria-hidden="true"
            />
            <span>
              {problem || trans.__('Not on the nodes of %1', partition)}
            </span>
          </span>
        ) : (
          <>
            <SignatureMark signature={image.signature} />
            <span>{placeWord(trans, image)}</span>
            <span className="jp-slurmdash-ImageLine-type">
              {typeWord(trans, image.type)}
            </span>
            {chosen && <span>{trans.__('chosen')}</span>}
          </>
        )}
        <span className="jp-slurmdash-Row-side">{formatBytes(image.size)}</span>
      </div>
    </div>
  );
});

/** What tells one image from the others, for the one that the keys or the pointer are at. */
export function ImagePreview({
  image,
  id
}: {
  image: ImageFacts | undefined;
  id: string;
}): React.JSX.Element {
  const trans = useTrans();
  const facts: Array<[string, string]> = image
    ? [
        [trans.__('About'), image.description],
        [trans.__('Apps'), image.apps.join(', ')],
        [
          trans.__('Where'),
          [
            isShared(image) ? placeWord(trans, image) : image.nodes.join(', '),
            image.partitions.join(', ')
          ]
            .filter(Boolean)
            .join(' · ')
        ],
        [trans.__('Path'), image.path]
      ]
    : [];
  return (
    <div
      id={id}
      className="jp-slurmdash-ImagePreview"
      data-testid="slurmdash-image-preview"
    >
      {facts
        .filter(([, value]) => value)
        .slice(0, 3)
        .map(([name, value]) => (
          <div key={name} title={value}>
            <span className="jp-slurmdash-Quiet">{name}</span> {value}
          </div>
        ))}
    </div>
  );
}
