import type { CommandRegistry } from '@lumino/commands';

/** What we use of a document in an editor. */
interface ITextDocument {
  context: {
    ready: Promise<void>;
    model: { fromString(text: string): void };
  };
}

/** Show a text in a new untitled document of JupyterLab's editor; it is the user's from then on. */
export async function openText(
  commands: CommandRegistry,
  text: string
): Promise<void> {
  const { path } = (await commands.execute('docmanager:new-untitled', {
    type: 'file',
    ext: 'yaml'
  })) as { path: string };
  const editor = (await commands.execute('docmanager:open', {
    path,
    factory: 'Editor'
  })) as ITextDocument;
  await editor.context.ready;
  editor.context.model.fromString(text);
}
