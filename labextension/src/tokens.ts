import { Token } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

/** The Slurm panel, for other extensions. */
export interface ISlurmDash {
  /**
   * Add a section of your own to the side panel, below the others.
   *
   * The widget's title label is the section's heading.
   */
  addSection(section: Widget): void;
}

/** Provided by `jupyter-slurmdash:panel`. */
export const ISlurmDash = new Token<ISlurmDash>(
  'jupyter-slurmdash:ISlurmDash',
  'The Slurm side panel; other extensions add sections to it.'
);
