/** Save bytes as a file of this computer. */
export function saveBlob(blob: Blob, path: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = path.split('/').pop() ?? 'file';
  document.body.appendChild(link);
  link.click();
  link.remove();
  // The browser reads the bytes after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The text of a file of this computer that the user picks; null when none is. */
export function pickText(): Promise<string | null> {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = '.yaml,.yml';
  return new Promise(done => {
    input.addEventListener('cancel', () => done(null));
    input.addEventListener('change', () => {
      void (input.files?.[0]?.text() ?? Promise.resolve(null)).then(done);
    });
    input.click();
  });
}
