import { lineOf } from './locate';
import type { TemplateEditorModel } from './model';

/** Everything that is wrong with its line; the first as the server found it. */
export function problemRows({
  problem,
  errors,
  text
}: Pick<TemplateEditorModel, 'problem' | 'errors' | 'text'>): Array<{
  line: number;
  column?: number;
  message: string;
}> {
  const rows = errors
    .filter(({ pointer }) => pointer !== problem?.pointer)
    .map(({ pointer, message }) => ({
      line: lineOf(text, pointer),
      message: `${pointer.slice(1).replaceAll('/', ' › ')}: ${message}`
    }));
  return problem
    ? [
        {
          line: problem.line || lineOf(text, problem.pointer),
          column: problem.column || undefined,
          message: problem.message
        },
        ...rows
      ]
    : rows;
}
