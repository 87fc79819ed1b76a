import * as React from 'react';

import type { FilesModel } from './files';
import { readDrop } from './filesdrop';

/** What is dragged when a file is put into another slot; its data is the row's key. */
export const FILE_MIME = 'application/x-slurmdash-file';

/** What a slot does with files that are dragged over it; `null` stands for "in no slot". */
export function useSlotDrop(
  slot: string | null,
  files: FilesModel
): {
  over: boolean;
  onDragOver: React.DragEventHandler;
  onDragLeave: React.DragEventHandler;
  onDrop: React.DragEventHandler;
} {
  const [over, setOver] = React.useState(false);
  const takes = ({ dataTransfer: { types } }: React.DragEvent) =>
    types.includes(FILE_MIME) || types.includes('Files');
  return {
    over,
    onDragOver: event => {
      if (takes(event)) {
        event.preventDefault();
        setOver(true);
      }
    },
    onDragLeave: () => setOver(false),
    onDrop: event => {
      setOver(false);
      if (takes(event)) {
        event.preventDefault();
        const key = event.dataTransfer.getData(FILE_MIME);
        if (key) {
          void files.setSlot(key, slot);
        } else {
          void files.take(readDrop(event.dataTransfer), slot ?? undefined);
        }
      }
    }
  };
}
