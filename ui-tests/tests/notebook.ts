import { writeFileSync } from 'node:fs';

/** Write a notebook of code cells that have not run yet, each a list of lines. */
export function writeNotebook(path: string, cells: string[][]): void {
  writeFileSync(
    path,
    JSON.stringify({
      cells: cells.map((lines, at) => ({
        cell_type: 'code',
        id: `cell-${at}`,
        execution_count: null,
        metadata: {},
        outputs: [],
        source: lines.join('\n')
      })),
      metadata: { kernelspec: { display_name: 'Python 3', name: 'python3' } },
      nbformat: 4,
      nbformat_minor: 5
    })
  );
}
