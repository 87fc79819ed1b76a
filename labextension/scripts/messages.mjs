/**
 * The strings of the panel, and the catalogues made of them.
 *
 *   node labextension/scripts/messages.mjs           check that every catalogue has every string
 *   node labextension/scripts/messages.mjs --write   bring the catalogues up to date, empty where untranslated
 *
 * A catalogue is jupyter_slurmdash/locale/<language>/LC_MESSAGES/jupyter_slurmdash.po; JupyterLab reads the .json
 * beside it, which is made from it.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SRC = join(ROOT, 'labextension', 'src');
const LOCALE = join(ROOT, 'jupyter_slurmdash', 'locale');
const NAME = 'jupyter_slurmdash';

/** Every string given to the translator: msgid → msgid_plural, or null. */
export function extract(dir = SRC, found = new Map()) {
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) {
      if (name !== '__tests__') {
        extract(path, found);
      }
    } else if (/\.tsx?$/.test(name)) {
      extractFile(path, found);
    }
  }
  return found;
}

function extractFile(path, found) {
  const source = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest,
    true
  );
  const visit = node => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression)
    ) {
      const method = node.expression.name.text;
      const [first, second] = node.arguments;
      if (method === '__' || method === '_n') {
        if (!first || !ts.isStringLiteralLike(first)) {
          throw new Error(`${path}: a string for the translator is a literal`);
        }
        found.set(first.text, method === '_n' ? second.text : null);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** A .po file as header and msgid → {plural, forms}. */
export function parsePo(text) {
  const entries = new Map();
  let header = '';
  for (const block of text.split(/\n\n+/)) {
    const fields = {};
    let current = null;
    for (const line of block.split('\n')) {
      const match = /^(msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")$/.exec(
        line
      );
      if (match) {
        current = match[1];
        fields[current] = JSON.parse(match[2]);
      } else if (line.startsWith('"') && current) {
        fields[current] += JSON.parse(line);
      }
    }
    if (fields.msgid === '') {
      header = fields.msgstr;
    } else if (fields.msgid !== undefined) {
      entries.set(fields.msgid, {
        plural: fields.msgid_plural ?? null,
        text: fields.msgstr ?? fields['msgstr[0]'] ?? ''
      });
    }
  }
  return { header, entries };
}

function formatPo(header, entries) {
  const lines = header
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.stringify(line + '\n'));
  const blocks = [`msgid ""\nmsgstr ""\n${lines.join('\n')}`];
  for (const [id, { plural, text }] of entries) {
    const q = JSON.stringify;
    blocks.push(
      plural === null
        ? `msgid ${q(id)}\nmsgstr ${q(text)}`
        : `msgid ${q(id)}\nmsgid_plural ${q(plural)}\nmsgstr[0] ${q(text)}`
    );
  }
  return blocks.join('\n\n') + '\n';
}

function formatJson(language, entries) {
  const out = {
    '': {
      domain: NAME,
      language,
      plural_forms: 'nplurals=1; plural=0;',
      pluralForms: 'nplurals=1; plural=0;'
    }
  };
  for (const [id, { plural, text }] of entries) {
    // JupyterLab takes a list of one for "not a plural", also in languages with one form.
    out[id] = plural === null ? [text] : [text, text];
  }
  return JSON.stringify(out, null, 1) + '\n';
}

function main() {
  const write = process.argv.includes('--write');
  const messages = extract();
  let faults = 0;
  for (const language of readdirSync(LOCALE)) {
    const base = join(LOCALE, language, 'LC_MESSAGES', NAME);
    const { header, entries } = parsePo(readFileSync(`${base}.po`, 'utf8'));
    const next = new Map(
      [...messages].map(([id, plural]) => [
        id,
        { plural, text: entries.get(id)?.text ?? '' }
      ])
    );
    const json = formatJson(language.replace('_', '-'), next);
    if (write) {
      writeFileSync(`${base}.po`, formatPo(header, next));
      writeFileSync(`${base}.json`, json);
    }
    for (const [id, { text }] of next) {
      if (!text) {
        faults += 1;
        console.error(`${language}: not translated: ${JSON.stringify(id)}`);
      }
    }
    if (!write && readFileSync(`${base}.json`, 'utf8') !== json) {
      faults += 1;
      console.error(`${language}: out of date; run with --write`);
    }
  }
  process.exitCode = faults ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main();
}
