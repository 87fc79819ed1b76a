import { Observable } from '../../observable';

/** What is pointed at, in the form or in the script, so that the other one can mark what belongs to it. */
export class FieldLink extends Observable {
  /** Pointer of the field that the focus is in. */
  focused: string | null = null;
  /** Pointer of the field under the mouse. */
  hovered: string | null = null;
  /** Pointer of the field that made the line that is pointed at. */
  fromScript: string | null = null;

  /** The field whose lines are marked. */
  get field(): string | null {
    return this.hovered ?? this.focused;
  }

  set(
    change: Partial<Pick<FieldLink, 'focused' | 'hovered' | 'fromScript'>>
  ): void {
    const { focused, hovered, fromScript } = { ...this, ...change };
    if (
      focused !== this.focused ||
      hovered !== this.hovered ||
      fromScript !== this.fromScript
    ) {
      Object.assign(this, { focused, hovered, fromScript });
      this.notify();
    }
  }
}
