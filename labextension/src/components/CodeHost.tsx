import { CodeEditor } from '@jupyterlab/codeeditor';
import {
  EditorState,
  StateEffect,
  StateField,
  RangeSet
} from '@codemirror/state';
import {
  Decoration,
  EditorView,
  gutter,
  GutterMarker,
  type DecorationSet
} from '@codemirror/view';
import * as React from 'react';

/** Makes JupyterLab's editors. */
export const EditorContext = React.createContext<CodeEditor.Factory | null>(
  null
);

/** Something to say about a line, counted from 1. */
export interface IMark {
  line: number;
  message: string;
}

/** How a line, counted from 1, is to look. */
export interface ITag {
  line: number;
  className: string;
  title?: string;
}

export interface ICodeHandle {
  /** Put the cursor on a line, and the focus into the editor. */
  goTo(line: number, column?: number): void;
}

interface ICodeHostProps {
  label: string;
  mimeType: string;
  value: string;
  onChange: (value: string) => void;
  readOnly?: boolean;
  lineNumbers?: boolean;
  marks?: ReadonlyArray<IMark>;
  tags?: ReadonlyArray<ITag>;
  /** What else there is to say of it, for screen readers. */
  describedBy?: string;
  testId?: string;
  /** The cursor came to this line, counted from 1. */
  onLine?: (line: number) => void;
}

/** JupyterLab's own code editor as a controlled field. */
export const CodeHost = React.forwardRef<ICodeHandle, ICodeHostProps>(
  function CodeHost(props, ref) {
    const { label, mimeType, value, readOnly = false, marks, testId } = props;
    const { lineNumbers = true, tags, describedBy } = props;
    const factory = React.useContext(EditorContext);
    const host = React.useRef<HTMLDivElement>(null);
    const made = React.useRef<CodeEditor.IEditor | null>(null);
    const latest = React.useRef(props);
    latest.current = props;

    React.useLayoutEffect(() => {
      if (!factory) {
        return;
      }
      const model = new CodeEditor.Model({ mimeType });
      model.sharedModel.setSource(latest.current.value);
      const editor = factory({
        host: host.current!,
        model,
        config: {
          lineNumbers,
          lineWrap: true,
          readOnly: false,
          // This editor grows with its text: room behind the end that is as high as the editor would grow for ever.
          scrollPastEnd: false
        }
      });
      editor.injectExtension([
        markField,
        markGutter,
        tagField,
        EditorView.contentAttributes.of({
          'aria-label': label,
          ...(describedBy ? { 'aria-describedby': describedBy } : {})
        }),
        EditorView.updateListener.of(
          ({ selectionSet, focusChanged, state, view }) => {
            if ((selectionSet || focusChanged) && view.hasFocus) {
              const { head } = state.selection.main;
              latest.current.onLine?.(state.doc.lineAt(head).number);
            }
          }
        ),
        EditorState.tabSize.of(2)
      ]);
      made.current = editor;
      const onChange = () => {
        const text = model.sharedModel.getSource();
        if (text !== latest.current.value) {
          latest.current.onChange(text);
        }
      };
      model.sharedModel.changed.connect(onChange);
      return () => {
        model.sharedModel.changed.disconnect(onChange);
        made.current = null;
        editor.dispose();
        model.dispose();
      };
    }, [factory, mimeType, label, lineNumbers, describedBy]);

    React.useLayoutEffect(() => {
      made.current?.setOption('readOnly', readOnly);
    }, [readOnly, factory]);

    // A text from elsewhere: only what differs is replaced, so that the cursor stays where it is.
    React.useLayoutEffect(() => {
      const shared = made.current?.model.sharedModel;
      const old = shared?.getSource();
      if (!shared || old === undefined || old === value) {
        return;
      }
      const [from, end, put] = change(old, value);
      shared.updateSource(from, end, put);
    }, [value]);

    React.useLayoutEffect(() => {
      viewOf(made.current)?.dispatch({ effects: setMarks.of(marks ?? []) });
    }, [marks, factory]);

    React.useLayoutEffect(() => {
      viewOf(made.current)?.dispatch({ effects: setTags.of(tags ?? []) });
    }, [tags, factory]);

    React.useImperativeHandle(ref, () => ({
      goTo: (line, column = 1) => {
        const editor = made.current;
        if (editor) {
          const position = { line: line - 1, column: column - 1 };
          editor.setCursorPosition(position);
          editor.revealPosition(position);
          editor.focus();
        }
      }
    }));

    return (
      <div ref={host} className="jp-slurmdash-CodeHost" data-testid={testId} />
    );
  }
);

/** The one stretch in which two texts differ: its begin and end in `old`, and what stands there in `next`. */
export function change(old: string, next: string): [number, number, string] {
  let from = 0;
  const shorter = Math.min(old.length, next.length);
  while (from < shorter && old[from] === next[from]) {
    from += 1;
  }
  let tail = 0;
  while (
    tail < shorter - from &&
    old[old.length - 1 - tail] === next[next.length - 1 - tail]
  ) {
    tail += 1;
  }
  return [from, old.length - tail, next.slice(from, next.length - tail)];
}

/** JupyterLab's editor is CodeMirror's; its interface does not say so. */
function viewOf(editor: CodeEditor.IEditor | null): EditorView | null {
  const view = (editor as { editor?: unknown } | null)?.editor;
  return view && typeof (view as EditorView).dispatch === 'function'
    ? (view as EditorView)
    : null;
}

const setMarks = StateEffect.define<ReadonlyArray<IMark>>();

class ErrorMarker extends GutterMarker {
  constructor(readonly message: string) {
    super();
  }
  override eq(other: ErrorMarker): boolean {
    return other.message === this.message;
  }
  override toDOM(): Node {
    const mark = document.createElement('span');
    mark.className = 'jp-slurmdash-GutterMark';
    mark.textContent = '✗';
    mark.title = this.message;
    return mark;
  }
}

interface IMarked {
  lines: DecorationSet;
  gutter: RangeSet<GutterMarker>;
}

const markField = StateField.define<IMarked>({
  create: () => ({ lines: Decoration.none, gutter: RangeSet.empty }),
  update(marked, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setMarks)) {
        const { doc } = transaction.state;
        const at = effect.value
          .filter(({ line }) => line >= 1 && line <= doc.lines)
          .map(({ line, message }) => ({ from: doc.line(line).from, message }))
          .sort((one, other) => one.from - other.from);
        return {
          lines: Decoration.set(
            at.map(({ from, message }) =>
              Decoration.line({
                class: 'jp-slurmdash-ErrorLine',
                attributes: { title: message }
              }).range(from)
            )
          ),
          gutter: RangeSet.of(
            at.map(({ from, message }) => new ErrorMarker(message).range(from))
          )
        };
      }
    }
    return transaction.docChanged
      ? {
          lines: marked.lines.map(transaction.changes),
          gutter: marked.gutter.map(transaction.changes)
        }
      : marked;
  },
  provide: field => EditorView.decorations.from(field, ({ lines }) => lines)
});

const setTags = StateEffect.define<ReadonlyArray<ITag>>();

const tagField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(tags, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setTags)) {
        const { doc } = transaction.state;
        return Decoration.set(
          effect.value
            .filter(({ line }) => line >= 1 && line <= doc.lines)
            .map(({ line, className, title }) =>
              Decoration.line({
                class: className,
                attributes: title ? { title } : {}
              }).range(doc.line(line).from)
            ),
          true
        );
      }
    }
    return tags.map(transaction.changes);
  },
  provide: field => EditorView.decorations.from(field)
});

const markGutter = gutter({
  class: 'jp-slurmdash-MarkGutter',
  markers: view => view.state.field(markField).gutter,
  initialSpacer: () => new ErrorMarker('')
});
